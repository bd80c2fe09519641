import type { MediaFigures } from '../../src/calls/call-trace.ts'
import { NO_STATS } from '../../src/telephony/media/media.ts'

/** The figures of a leg that carried nothing yet. */
export const NO_FIGURES: MediaFigures = { ...NO_STATS, codec: 'PCMU', ptimeMs: 20 }
