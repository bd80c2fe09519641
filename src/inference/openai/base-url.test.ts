import { describe, expect, it } from 'vitest'
import { parseServerBase } from './base-url.ts'

const openai = { endings: ['/v1'] }

describe('a server base', () => {
  it.each([
    ['http://10.0.0.2:8000', 'http://10.0.0.2:8000'],
    ['http://10.0.0.2:8000/', 'http://10.0.0.2:8000'],
    ['http://10.0.0.2:8000/v1', 'http://10.0.0.2:8000'],
    ['http://10.0.0.2:8000/v1//', 'http://10.0.0.2:8000'],
    ['https://models.example/api/v1', 'https://models.example/api'],
    ['models.local:8000', 'http://models.local:8000'],
    ['http://[::1]:8000/v1?x=1#y', 'http://[::1]:8000'],
  ])('%s is %s', (text, url) => {
    expect(parseServerBase(text, openai).url).toBe(url)
  })

  it('takes off /api only where it is an ending', () => {
    const ollama = { endings: ['/v1', '/api'] }
    expect(parseServerBase('http://h:1/api/', ollama).url).toBe('http://h:1')
    expect(parseServerBase('http://h:1/apis', ollama).url).toBe('http://h:1/apis')
  })

  it('carries a key, or else the name and password of the URL, as a header and never in the URL', () => {
    const base = parseServerBase('http://me:p%40ss@h:1/v1', openai)
    expect(base).toEqual({
      url: 'http://h:1',
      headers: { authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}` },
    })
    const keyed = parseServerBase('http://h:1', { ...openai, apiKey: 'sk-1' })
    expect(keyed.headers).toEqual({ authorization: 'Bearer sk-1' })
  })

  it.each(['', 'ftp://h', 'http://', 'http://a b'])('refuses %j', (text) => {
    expect(() => parseServerBase(text, openai)).toThrow('is no http or https address')
  })

  it('does not repeat a password in its refusal', () => {
    expect(() => parseServerBase('ftp://me:secret@h', openai)).toThrow('"ftp://h"')
  })
})
