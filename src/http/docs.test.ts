import { describe, expect, it } from 'vitest'
import { setupHttp } from '../../test/kit/http-client.ts'

const ASSETS = ['/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js', '/docs/start.js']

describe('the documentation page', () => {
  it('loads only from this server, which has all of it', async () => {
    const { send } = setupHttp()
    const page = await send('GET', '/docs', { key: null })
    expect(page.status).toBe(200)
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const loaded = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url)
    expect(loaded).toEqual(['data:,', ...ASSETS])
    for (const path of ASSETS) {
      const asset = await send('GET', path, { key: null })
      expect(asset.status).toBe(200)
      expect(asset.text.length).toBeGreaterThan(50)
    }
  })

  it.each(['/docs', ...ASSETS])('forbids %s to load from or run anything else', async (path) => {
    const { headers } = await setupHttp().send('GET', path, { key: null })
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'self'")
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  })

  it('holds no script of its own and asks no validator', async () => {
    const { send } = setupHttp()
    const page = await send('GET', '/docs')
    for (const [, inline] of page.text.matchAll(/<script[^>]*>([^<]*)<\/script>/g))
      expect(inline).toBe('')
    expect(page.text).not.toMatch(/<style|style=|\son\w+=/)
    const start = await send('GET', '/docs/start.js')
    expect(start.text).toContain("url: '/openapi.json'")
    expect(start.text).toContain('validatorUrl: null')
    expect(() => new Function('SwaggerUIBundle', start.text)).not.toThrow()
  })
})
