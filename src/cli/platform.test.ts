import { describe, expect, it } from 'vitest'
import { refusePlatform, systemPlatform } from './platform.ts'

const GLIBC = '7f00-7f01 r-xp 00000000 08:01 1 /usr/lib/x86_64-linux-gnu/libc.so.6'

describe('refusePlatform', () => {
  it.each(['x64', 'arm64'])('takes Linux on %s with glibc', (arch) => {
    expect(refusePlatform({ os: 'linux', arch, maps: GLIBC })).toBeUndefined()
    expect(refusePlatform({ os: 'linux', arch, maps: '' })).toBeUndefined()
  })

  it.each([
    [{ os: 'darwin', arch: 'arm64', maps: '' }, 'darwin on arm64'],
    [{ os: 'win32', arch: 'x64', maps: '' }, 'win32 on x64'],
    [{ os: 'linux', arch: 'riscv64', maps: GLIBC }, 'linux on riscv64'],
    [{ os: 'linux', arch: 'x64', maps: '7f00 /lib/ld-musl-x86_64.so.1' }, 'linux on x64 with musl'],
  ])('refuses %j in one sentence', (platform, found) => {
    expect(refusePlatform(platform)).toBe(
      `Landline runs on Linux on x64 or arm64 with glibc; this is ${found}.`,
    )
  })

  it('takes the machine of these tests', () => {
    expect(refusePlatform(systemPlatform())).toBeUndefined()
  })
})
