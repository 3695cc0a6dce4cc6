import type { Operation } from '../routes.ts'

/** What one OpenAI-compatible provider takes and refuses, as its documentation says. */
export interface CompatibleLaw {
  readonly id: string
  /** Where it is written down. */
  readonly source: string
  /** Its public base; of servers that one runs oneself, where they usually are. */
  readonly base: string
  /** The header that carries the key. Default: `authorization: Bearer …`. */
  readonly header?: { readonly name: string; readonly prefix: string }
  /** True where calls without a key are served. */
  readonly isKeyless?: true
  /** All that it serves beside chat; absent: nobody says it in full, so what OpenAI has. */
  readonly serves?: readonly Operation[]
  /** False where it has no chat. */
  readonly chats?: false
  /** Routes that are not where OpenAI's are. */
  readonly tails?: { readonly [O in Operation]?: string }
  /** Members of a chat's body that are answered with an error; of these models, or of all. */
  readonly refuses?: readonly { readonly fields: readonly string[]; readonly of?: RegExp }[]
  /** The one name of the token budget that it knows; absent: both. */
  readonly budget?: 'max_tokens'
  /** `array`: a bare list; `public`: it needs no key. Default: a list as OpenAI's, for those who have a key. */
  readonly models?: 'array' | 'public' | 'none'
  /** A page about the key that was sent. */
  readonly keyPage?: string
  /** What its names of chat models look like. */
  readonly modelNames?: RegExp
  /** The member of a message that holds what a model thought; told where `reasoning_effort` is set. */
  readonly thoughts?: string
  /** Sent in a stream while the answer is on its way. */
  readonly comment?: string
  /** The form of its errors. Default: OpenAI's envelope. */
  readonly errors?: 'bare' | 'detail' | 'text'
}

/** A provider whose base and key are all that anybody says of it. */
export function plain(
  id: string,
  base: string,
  source: string,
  more: Partial<CompatibleLaw> = {},
): CompatibleLaw {
  return { id, base: `https://${base}`, source, ...more }
}
