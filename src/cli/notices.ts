/** What is inside the executable beside our own work, and how it may be used; read only when somebody asks. */
import { readFileSync } from 'node:fs'
import runtimePath from '../../licences/onnxruntime-third-party.txt' with { type: 'file' }
import noticesPath from '../../THIRD-PARTY-NOTICES.txt' with { type: 'file' }

export function readNotices(): string {
  const [notices, runtime] = [noticesPath, runtimePath].map((path) => readFileSync(path, 'utf8'))
  return `${notices}\n${runtime}`
}
