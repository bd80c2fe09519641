import { readFileSync } from 'node:fs'
import { reasonOf } from '../../core/errors.ts'

/** The JSON files of voices are some kilobytes; Piper's with many speakers a few hundred. */
const LARGEST_JSON = 8 * 1024 * 1024

/** A JSON object from a file. Throws an Error that names the file and says what is wrong with it. */
export function readJsonFile(path: string): Record<string, unknown> {
  const bytes = readFileOf(path)
  if (bytes.length > LARGEST_JSON) throw new Error(`${path} is too large to be a voice's`)
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new Error(`${path} is truncated or is no JSON`)
  }
  const object = asObject(value)
  if (!object) throw new Error(`${path} is no JSON object`)
  return object
}

/** A whole file. Throws an Error that names it. */
export function readFileOf(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new Error(`${path} ${isMissing ? 'is missing' : `cannot be read: ${reasonOf(error)}`}`)
  }
}

export function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

export function isCount(value: unknown, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most
}
