/**
 * A home behind a router, in network namespaces: `home` has a private address, `far` a public one, and between them a
 * router masquerades. Needs root, iproute2 and nftables; nothing of it is left behind.
 */
import { execFileSync } from 'node:child_process'
import { findProgram, type Peer, startPeer } from './peers.ts'

export interface Nat {
  /** The address of the machine at home, and what the world sees in its place. */
  homeHost: string
  publicHost: string
  farHost: string
  startAtHome(name: string, args: readonly string[]): Peer
  startFar(name: string, args: readonly string[]): Peer
  remove(): void
}

/** Public by their numbers, but of these namespaces alone: no packet leaves them. */
const ADDRESSES = {
  homeHost: '10.77.1.2',
  publicHost: '45.77.0.1',
  farHost: '45.77.0.2',
} as const

let made = 0

/** Why there can be none here; null when there can. */
export function whyNoNat(): string | null {
  const missing = ['ip', 'nft'].filter((name) => findProgram(name) === null)
  if (missing.length > 0) return `${missing.join(', ')} not installed`
  if (process.getuid?.() !== 0) return 'not root'
  const name = `landline-${process.pid}-try`
  try {
    ip('netns', 'add', name)
    ip('netns', 'del', name)
    return null
  } catch {
    return 'network namespaces are not allowed'
  }
}

/** `randomPorts`: the router gives each flow another port than it came from, as carriers' do. */
export function createNat(o: { randomPorts: boolean }): Nat {
  const tag = `landline-${process.pid}-${++made}`
  const [home, router, far] = ['home', 'router', 'far'].map((part) => `${tag}-${part}`) as [
    string,
    string,
    string,
  ]
  const remove = (): void => {
    for (const name of [home, router, far])
      try {
        ip('netns', 'del', name)
      } catch {
        // It was not made.
      }
  }
  try {
    for (const name of [home, router, far]) ip('netns', 'add', name)
    link([home, 'eth0', ADDRESSES.homeHost], [router, 'lan', '10.77.1.1'])
    link([far, 'eth0', ADDRESSES.farHost], [router, 'wan', ADDRESSES.publicHost])
    ip('-n', home, 'route', 'add', 'default', 'via', '10.77.1.1')
    inside(router, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward')
    const nft = (text: string): void => inside(router, 'nft', text)
    nft('add table ip nat')
    nft('add chain ip nat post { type nat hook postrouting priority 100 ; }')
    nft(`add rule ip nat post oifname wan masquerade${o.randomPorts ? ' random' : ''}`)
    // Nobody may come in from outside by himself.
    nft('add table ip guard')
    nft('add chain ip guard forwarded { type filter hook forward priority 0 ; }')
    nft('add rule ip guard forwarded iifname wan ct state new drop')
  } catch (error) {
    remove()
    throw error
  }
  const start = (name: string, program: string, args: readonly string[]): Peer =>
    startPeer('ip', ['netns', 'exec', name, program, ...args])
  return {
    ...ADDRESSES,
    startAtHome: (program, args) => start(home, program, args),
    startFar: (program, args) => start(far, program, args),
    remove,
  }
}

type End = [namespace: string, device: string, address: string]

function link(one: End, other: End): void {
  const [a, b] = [`ll${process.pid % 10_000}a${made}${one[1]}`, `ll${process.pid % 10_000}b${made}`]
  ip('link', 'add', a.slice(0, 15), 'type', 'veth', 'peer', 'name', b.slice(0, 15))
  for (const [name, [namespace, device, address]] of [
    [a.slice(0, 15), one],
    [b.slice(0, 15), other],
  ] as const) {
    ip('link', 'set', name, 'netns', namespace, 'name', device)
    ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', device)
    ip('-n', namespace, 'link', 'set', device, 'up')
    ip('-n', namespace, 'link', 'set', 'lo', 'up')
  }
}

function ip(...args: string[]): void {
  execFileSync(findProgram('ip') ?? 'ip', args, { stdio: 'pipe' })
}

function inside(namespace: string, ...args: string[]): void {
  ip('netns', 'exec', namespace, ...args)
}
