import { readFileSync } from 'node:fs'

export interface Platform {
  os: string
  arch: string
  /** What is mapped into this process: `/proc/self/maps`. */
  maps: string
}

/** Why this machine cannot run Landline, in one sentence; undefined when it can. */
export function refusePlatform(platform: Platform): string | undefined {
  const { os, arch, maps } = platform
  if (os === 'linux' && (arch === 'x64' || arch === 'arm64') && !/\/ld-musl-/.test(maps))
    return undefined
  const found =
    os === 'linux' && /\/ld-musl-/.test(maps) ? `linux on ${arch} with musl` : `${os} on ${arch}`
  return `Landline runs on Linux on x64 or arm64 with glibc; this is ${found}.`
}

export function systemPlatform(): Platform {
  return { os: process.platform, arch: process.arch, maps: readMaps() }
}

function readMaps(): string {
  try {
    return readFileSync('/proc/self/maps', 'latin1')
  } catch {
    return ''
  }
}
