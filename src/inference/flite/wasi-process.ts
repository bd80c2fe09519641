import { MAX_FILE_BYTES, MemoryFile } from './memory-file.ts'

// WASI snapshot preview1: `errno`, `filetype`, `oflags` and `whence` values.
const ERRNO = { success: 0, badf: 8, inval: 28, noent: 44, nospc: 51, spipe: 70 } as const
const FILE_TYPE = { characterDevice: 2, directory: 3, regularFile: 4 } as const
const OPEN = { create: 1, truncate: 8 } as const
const WHENCE = { set: 0, current: 1, end: 2 } as const
/** 0, 1 and 2 are the standard streams; 3 is the one directory a program is given, `/`. */
const ROOT_FD = 3
const ALL_RIGHTS = 0xffff_ffff_ffff_ffffn
const MAX_STREAM_BYTES = 64 * 1024

/** Thrown through a program when it exits. */
export class ProcessExit extends Error {
  readonly exitCode: number
  constructor(exitCode: number) {
    super(`exit ${exitCode}`)
    this.exitCode = exitCode
  }
}

interface OpenFile {
  file: MemoryFile
  position: number
}

/** One run of a program: its memory, its open files. Its clock stands still and its standard input is empty. */
export class WasiProcess {
  readonly files = new Map<string, MemoryFile>()
  readonly streams = [new MemoryFile(), new MemoryFile(), new MemoryFile()]
  private readonly open = new Map<number, OpenFile>()
  private readonly args: Uint8Array[]
  private nextFd = ROOT_FD + 1
  memory = new WebAssembly.Memory({ initial: 0 })

  constructor(args: readonly string[]) {
    this.args = args.map((arg) => new TextEncoder().encode(`${arg}\0`))
  }

  private get view(): DataView {
    return new DataView(this.memory.buffer)
  }

  private bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, at, length)
  }

  private setWord(at: number, value: number): void {
    this.view.setUint32(at, value, true)
  }

  /** The pieces of memory that an `iovec` array names. */
  private pieces(iovs: number, count: number): Uint8Array[] {
    const view = this.view
    return Array.from({ length: count }, (_, i) =>
      this.bytes(view.getUint32(iovs + 8 * i, true), view.getUint32(iovs + 8 * i + 4, true)),
    )
  }

  private argsSizes(count: number, size: number): number {
    this.setWord(count, this.args.length)
    this.setWord(
      size,
      this.args.reduce((sum, arg) => sum + arg.length, 0),
    )
    return ERRNO.success
  }

  private argsGet(pointers: number, buffer: number): number {
    let at = buffer
    for (const [i, arg] of this.args.entries()) {
      this.setWord(pointers + 4 * i, at)
      this.bytes(at, arg.length).set(arg)
      at += arg.length
    }
    return ERRNO.success
  }

  private fdstat(fd: number, at: number): number {
    if (fd > ROOT_FD && !this.open.has(fd)) return ERRNO.badf
    const type =
      fd < ROOT_FD
        ? FILE_TYPE.characterDevice
        : fd === ROOT_FD
          ? FILE_TYPE.directory
          : FILE_TYPE.regularFile
    this.view.setUint8(at, type)
    this.view.setUint16(at + 2, 0, true)
    this.view.setBigUint64(at + 8, ALL_RIGHTS, true)
    this.view.setBigUint64(at + 16, ALL_RIGHTS, true)
    return ERRNO.success
  }

  private prestat(fd: number, at: number): number {
    if (fd !== ROOT_FD) return ERRNO.badf
    this.setWord(at, 0)
    this.setWord(at + 4, 1)
    return ERRNO.success
  }

  private prestatName(fd: number, at: number, length: number): number {
    if (fd !== ROOT_FD) return ERRNO.badf
    if (length < 1) return ERRNO.inval
    this.bytes(at, 1)[0] = '/'.charCodeAt(0)
    return ERRNO.success
  }

  private pathOpen(at: number, length: number, flags: number, fdAt: number): number {
    const path = new TextDecoder().decode(this.bytes(at, length).slice())
    let file = this.files.get(path)
    if (!file) {
      if ((flags & OPEN.create) === 0) return ERRNO.noent
      file = new MemoryFile()
      this.files.set(path, file)
    }
    if ((flags & OPEN.truncate) !== 0) file.length = 0
    this.open.set(this.nextFd, { file, position: 0 })
    this.setWord(fdAt, this.nextFd++)
    return ERRNO.success
  }

  private read(fd: number, iovs: number, count: number, readAt: number): number {
    const handle = this.open.get(fd)
    if (!handle && fd !== 0) return ERRNO.badf
    let total = 0
    if (handle)
      for (const piece of this.pieces(iovs, count)) {
        const data = handle.file.bytes.subarray(handle.position, handle.position + piece.length)
        piece.set(data)
        handle.position += data.length
        total += data.length
      }
    this.setWord(readAt, total)
    return ERRNO.success
  }

  private write(fd: number, iovs: number, count: number, writtenAt: number): number {
    const stream = this.streams[fd]
    const handle = this.open.get(fd)
    if (!stream && !handle) return ERRNO.badf
    let total = 0
    for (const piece of this.pieces(iovs, count)) {
      if (handle) {
        if (!handle.file.write(handle.position, piece)) return ERRNO.nospc
        handle.position += piece.length
      } else if (stream && stream.length + piece.length <= MAX_STREAM_BYTES)
        stream.write(stream.length, piece)
      total += piece.length
    }
    this.setWord(writtenAt, total)
    return ERRNO.success
  }

  private seek(fd: number, offset: bigint, whence: number, at: number): number {
    const handle = this.open.get(fd)
    if (!handle) return fd < ROOT_FD ? ERRNO.spipe : ERRNO.badf
    const base =
      whence === WHENCE.set ? 0 : whence === WHENCE.current ? handle.position : handle.file.length
    const position = base + Number(offset)
    if (position < 0 || position > MAX_FILE_BYTES) return ERRNO.inval
    handle.position = position
    this.view.setBigUint64(at, BigInt(position), true)
    return ERRNO.success
  }

  private clockTime(at: number): number {
    this.view.setBigUint64(at, 0n, true)
    return ERRNO.success
  }

  /** The functions a module imports as `wasi_snapshot_preview1`; the calls Flite makes, no more. */
  readonly imports = {
    args_sizes_get: (count: number, size: number) => this.argsSizes(count, size),
    args_get: (pointers: number, buffer: number) => this.argsGet(pointers, buffer),
    clock_time_get: (_clock: number, _precision: bigint, at: number) => this.clockTime(at),
    fd_close: (fd: number) => (this.open.delete(fd) ? ERRNO.success : ERRNO.badf),
    fd_fdstat_get: (fd: number, at: number) => this.fdstat(fd, at),
    fd_fdstat_set_flags: () => ERRNO.success,
    fd_prestat_get: (fd: number, at: number) => this.prestat(fd, at),
    fd_prestat_dir_name: (fd: number, at: number, length: number) =>
      this.prestatName(fd, at, length),
    fd_read: (fd: number, iovs: number, count: number, at: number) =>
      this.read(fd, iovs, count, at),
    fd_seek: (fd: number, offset: bigint, whence: number, at: number) =>
      this.seek(fd, offset, whence, at),
    fd_write: (fd: number, iovs: number, count: number, at: number) =>
      this.write(fd, iovs, count, at),
    path_open: (
      _dir: number,
      _lookup: number,
      at: number,
      length: number,
      flags: number,
      _rights: bigint,
      _inheriting: bigint,
      _fdFlags: number,
      fdAt: number,
    ) => this.pathOpen(at, length, flags, fdAt),
    proc_exit: (exitCode: number) => {
      throw new ProcessExit(exitCode)
    },
  }
}
