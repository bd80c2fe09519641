import { afterEach, describe, expect, it } from 'vitest'
import { cleanUpCli, setupCli } from '../../test/kit/cli.ts'
import type { PullRequest } from './appliance.ts'

afterEach(cleanUpCli)

/** Notes what is pulled; `pull` tells how each goes. */
function setup(pull: (o: PullRequest) => void | Promise<void> = () => {}) {
  const cli = setupCli()
  const asked: Omit<PullRequest, 'fetch' | 'onProgress' | 'signal'>[] = []
  cli.appliance.pullModel = async (_, o) => {
    const { id, variant, update, hub } = o
    asked.push({ id, variant, update, hub })
    await pull(o)
    return { id, revision: 'c', bytes: 12_500_000, unchanged: false }
  }
  return { ...cli, asked }
}

describe('models pull', () => {
  it('fetches each from the hub', async () => {
    const { run, terminal, asked } = setup()
    expect(await run('models', 'pull', 'whisper-base', 'kokoro')).toBe(0)
    const usual = { variant: null, update: false, hub: 'https://huggingface.co' }
    expect(asked).toEqual([
      { id: 'whisper-base', ...usual },
      { id: 'kokoro', ...usual },
    ])
    expect(terminal.outLines).toEqual([
      'whisper-base: 13 MB fetched and verified',
      'kokoro: 13 MB fetched and verified',
    ])
  })

  it('takes a form, a mirror by flag or HF_ENDPOINT, and an update', async () => {
    const { run, terminal, asked } = setup()
    terminal.env = { HF_ENDPOINT: 'https://mirror.example' }
    await run('models', 'pull', 'a', '--variant', 'int8')
    await run('models', 'pull', 'a', '--hub', 'http://10.0.0.1/hub', '--update')
    expect(asked).toEqual([
      { id: 'a', variant: 'int8', update: false, hub: 'https://mirror.example' },
      { id: 'a', variant: null, update: true, hub: 'http://10.0.0.1/hub' },
    ])
  })

  it('prints JSON for programs', async () => {
    const { run, json } = setup()
    await run('models', 'pull', 'a', '--json')
    expect(json()).toEqual([{ id: 'a', revision: 'c', bytes: 12_500_000, unchanged: false }])
  })

  it('draws a bar on a terminal, and a line a file elsewhere', async () => {
    const progress = ({ onProgress }: PullRequest): void => {
      onProgress({ path: 'a.json', bytes: 0, total: 2_000_000 })
      onProgress({ path: 'a.onnx', bytes: 500_000, total: 2_000_000 })
      onProgress({ path: 'a.onnx', bytes: 2_000_000, total: 2_000_000 })
      onProgress({ path: 'b\u001b[2J', bytes: 2_500_000, total: null })
    }
    const plain = setup(progress)
    await plain.run('models', 'pull', 'm')
    expect(plain.terminal.errLines).toEqual(['m: a.json', 'm: a.onnx', 'm: b [2J'])
    const drawn = setup(progress)
    const lines: string[] = []
    drawn.terminal.rewrite = (line) => void lines.push(line)
    await drawn.run('models', 'pull', 'm')
    expect(lines).toEqual([
      'm [........................] 0 % of 2.0 MB a.json',
      'm [######..................] 25 % of 2.0 MB a.onnx',
      'm [########################] 100 % of 2.0 MB a.onnx',
      'm 2.5 MB b [2J',
      '',
    ])
    expect(drawn.terminal.errLines).toEqual([])
  })

  it('exits with 1 and what is wrong', async () => {
    const { run, terminal } = setup(() => Promise.reject(new Error('no model "x" is known')))
    expect(await run('models', 'pull', 'x')).toBe(1)
    expect(terminal.errLines).toEqual(['landline: no model "x" is known'])
  })

  it('on Ctrl-C says that the same command goes on', async () => {
    const cli = setup(async ({ signal }) => {
      cli.terminal.signal()
      signal.throwIfAborted()
    })
    expect(await cli.run('models', 'pull', 'a', 'b')).toBe(1)
    expect(cli.asked).toHaveLength(1)
    expect(cli.terminal.errLines).toEqual([
      'landline: a: stopped; the same command goes on from here',
    ])
  })
})

describe('models import', () => {
  it('takes a path relative to the working directory, and a name', async () => {
    const { run, terminal, appliance, directory } = setup()
    const asked: unknown[] = []
    appliance.importModels = async (_, { source, id }) => {
      asked.push({ source, id })
      return [{ id: 'mine', files: 6, bytes: 1_500_000 }]
    }
    expect(await run('models', 'import', 'x.tar', '--as', 'mine')).toBe(0)
    expect(asked).toEqual([{ source: `${directory}/x.tar`, id: 'mine' }])
    expect(terminal.outLines).toEqual(['mine: 6 files, 1.5 MB'])
  })
})
