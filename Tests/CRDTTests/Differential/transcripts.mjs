// What record.mjs and replay.mjs share.
import { createHash } from 'node:crypto'

/** An answer as it is recorded, from its text: itself when it is short, else a hash. */
export const recorded = text => text.length <= 40
  ? JSON.parse(text)
  : { sha: createHash('sha256').update(text).digest('hex').slice(0, 10) }
