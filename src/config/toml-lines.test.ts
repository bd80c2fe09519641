import { describe, expect, it } from 'vitest'
import { findTomlLines } from './toml-lines.ts'

describe('findTomlLines', () => {
  it('finds keys, tables, lists of tables and what lies in them', () => {
    const text = [
      '# comment = 1',
      'data_dir = "x"',
      '[http] # the API',
      'port = 1',
      '"host" = "h"',
      '',
      '[speech.stt]',
      'engine = "whisper"',
      '[[sip.trunks]]',
      'host = "a"',
      '[[sip.trunks]]',
      '  host = "b"',
      '[llm]',
      'a . b = 1',
    ].join('\r\n')
    expect(Object.fromEntries(findTomlLines(text))).toEqual({
      data_dir: 2,
      http: 3,
      'http.port': 4,
      'http.host': 5,
      'speech.stt': 7,
      'speech.stt.engine': 8,
      'sip.trunks[0]': 9,
      'sip.trunks[0].host': 10,
      'sip.trunks[1]': 11,
      'sip.trunks[1].host': 12,
      llm: 13,
      'llm.a.b': 14,
    })
  })

  it('does not take the inside of a long string or list for keys', () => {
    const text = 'a = """\nb = 1\n"""\nc = [\n"d = 2",\n]\ne = 3'
    expect(Object.fromEntries(findTomlLines(text))).toEqual({ a: 1, c: 4, e: 7 })
  })
})
