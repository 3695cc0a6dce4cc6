import type { HttpMode, Mode, RouteName } from '../../core/mode.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Refused } from '../adapter.ts'

/** One OpenAI-compatible provider: everything in which it differs from OpenAI. */
export interface CompatibleRow {
  /** LiteLLM's prefix. */
  readonly id: string
  /**
   * Absent where every user has another: `api_base` or the environment must say. `{NAME}` stands for that
   * variable's value.
   */
  readonly base?: string
  /** An ending of bases that people have from elsewhere, and what it is for OpenAI's routes. */
  readonly baseEnding?: { readonly written: string; readonly meant: string }
  /** In order; the first one is named to the user. */
  readonly keyEnv: readonly string[]
  /** Default: `<ID>_API_BASE`. */
  readonly baseEnv?: readonly string[]
  /** What is sent without a key; absent: a key is required. */
  readonly keyless?: { readonly send: string } | 'none'
  /** Default: `authorization: Bearer …`. */
  readonly header?: { readonly name: string; readonly prefix: string }
  /** Fields it knows by another name. */
  readonly renames?: Readonly<Record<string, string>>
  /** Routes that are elsewhere below the base. */
  readonly routes?: { readonly [R in RouteName]?: string }
  readonly unsupported?: readonly (Mode | 'moderation')[]
  /** What a mode's body must have. */
  readonly required?: { readonly [M in HttpMode]?: JsonObject }
  readonly completionAnswer?: 'message'
  /** Put before a chat or completion model's name unless the name already starts with `unless`. */
  readonly modelPrefix?: { readonly prefix: string; readonly unless: string }
  readonly cheapChatModel?: string
  /** What its models refuse, or leave out of account. */
  readonly refuses?: readonly Refused[]
  /**
   * What a free GET can find out: a route that takes the key, default `/models`; whether that needs no key. `none`: it
   * has no such route.
   */
  readonly listing?: { readonly route?: string; readonly isPublic?: true } | 'none'
  /** The member of a message that holds what the model thought, where it is not `reasoning_content`. */
  readonly thoughts?: string
  /** More hosts that are its own, beside the base's. */
  readonly hosts?: readonly string[]
  /** As in `ProviderAdapter`. */
  readonly isSelfHosted?: boolean
  /** The mode of every model under this prefix. */
  readonly mode?: Mode
}

/** For servers that predate OpenAI's newer name for the token budget. */
export const OLD_BUDGET = { max_completion_tokens: 'max_tokens' } as const
