/** A Smart Turn in the hub's layout: its true input and output, and loudness for what it was trained on. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { elements, model, node, tensor, value } from './onnx-writer.ts'

export interface TurnModelOptions {
  /** Names of the input and its shape; the true ones unless told. */
  input?: string
  shape?: (number | string)[]
  /** Gives log-odds, as an export without its last step does. */
  logOdds?: boolean
  /** Gives this number always. */
  always?: number
}

/**
 * The last 150 ms tell it: quiet there is the end of a turn, sound is none. So it hears whether what it is given ends
 * where it should.
 */
export function writeTurnModel(path: string, o: TurnModelOptions = {}): void {
  const shape = o.shape ?? [1, 80, 800]
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, turnGraph(o.input ?? 'input_features', shape, o))
}

function turnGraph(
  input: string,
  shape: (number | string)[],
  o: Pick<TurnModelOptions, 'logOdds' | 'always'>,
): Uint8Array {
  const frames = Number(shape.at(-1)) || 800
  const last = o.logOdds ? 'odds' : 'chance'
  const isFixed = o.always !== undefined
  return model({
    inputs: [value(input, elements.float, shape)],
    outputs: [value('logits', elements.float, [1, 1])],
    constants: [
      tensor('from', [1], BigInt64Array.of(BigInt(frames - 15))),
      tensor('to', [1], BigInt64Array.of(BigInt(frames))),
      tensor('axis', [1], BigInt64Array.of(2n)),
      tensor('flat', [2], BigInt64Array.of(1n, -1n)),
      tensor('rows', [1], BigInt64Array.of(1n)),
      tensor('middle', [1, 1], Float32Array.of(0.3)),
      tensor('steep', [1, 1], Float32Array.of(isFixed ? 0 : -20)),
      tensor('offset', [1, 1], Float32Array.of(o.always ?? 0)),
    ],
    nodes: [
      node('Slice', [input, 'from', 'to', 'axis'], ['end']),
      node('Reshape', ['end', 'flat'], ['row']),
      node('ReduceMean', ['row'], ['mean']),
      node('Sub', ['mean', 'middle'], ['above']),
      node('Mul', ['above', 'steep'], ['odds']),
      node('Sigmoid', ['odds'], ['chance']),
      ...(isFixed
        ? [node('Add', ['odds', 'offset'], ['logits'])]
        : [node('Identity', [last], ['logits'])]),
    ],
  })
}
