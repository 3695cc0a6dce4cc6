/**
 * The thread that counts tokens in OpenAI's newest encoding, which takes a quarter of a second to load and 80 MB to hold:
 * neither is for the thread that serves requests.
 */
import { parentPort } from 'node:worker_threads'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import type { CountAnswer, CountOrder } from './text-counter.ts'

/** Texts are only texts: what looks like a control token counts as what it is written with. */
const AS_TEXT = { disallowedSpecial: new Set<string>() }

parentPort?.on('message', ({ id, pieces }: CountOrder) => {
  const tokens = pieces.reduce((sum, piece) => sum + countTokens(piece, AS_TEXT), 0)
  const answer: CountAnswer = { id, tokens }
  parentPort?.postMessage(answer)
})
