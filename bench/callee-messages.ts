/** What the callee is told, and what it tells. Times are its own thread's `performance.now()`, in ms. */

export type Step =
  /** Waits until the agent has spoken and was silent for `quietMs`. */
  | { do: 'listen'; quietMs: number }
  /** Says an utterance; its end and the first sound after it are a turn. */
  | { do: 'say'; utterance: number }
  /** Waits until the agent has spoken for `afterMs`, then says an utterance over it. */
  | { do: 'interrupt'; utterance: number; afterMs: number }
  | { do: 'wait'; ms: number }

export interface Turn {
  utterance: number
  /** The last packet with speech was sent. */
  speechEnd: number
  /** The first packet with sound came after it. */
  firstSound: number
}

export interface Interruption {
  /** The first packet with speech was sent. */
  speechStart: number
  /** The last packet with sound before the agent was silent. */
  lastSound: number
}

/** What the callee has of one call once it has hung up. */
export interface CallReport {
  turns: Turn[]
  interruptions: Interruption[]
  /** When each RTP packet came. */
  arrivals: number[]
  /** When each datagram came to the control's port meanwhile. */
  controlArrivals: number[]
}

export type ToCallee =
  /** Speech at 8 kHz, whole frames, its last sample the end of the speech. */
  | { type: 'prepare'; utterances: Int16Array[] }
  /** What to do on the next call. */
  | { type: 'script'; steps: readonly Step[] }
  /** Sends `count` datagrams to an echo on `port`, one after the other. */
  | { type: 'ping'; port: number; count: number }

export type FromCallee =
  | { type: 'ready'; sipPort: number; controlPort: number }
  | { type: 'report'; report: CallReport }
  | { type: 'failed'; reason: string }
  | { type: 'pinged'; roundTrips: number[] }
