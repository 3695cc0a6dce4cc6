import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { memberValue, scanObject, spliceBody, type JsonSpans } from '../../core/json-spans.ts'
import type { Target } from '../adapter.ts'
import { hasNone, picked } from '../body-defaults.ts'
import type { Refitted } from '../refitted.ts'
import { claudeModel } from './claude-model.ts'
import { toMessagesBody } from './messages-body.ts'
import { refitted, turnsIn } from './refit.ts'
import { excludesThoughts } from './sampling.ts'
import { continuesWithoutThoughts } from './thinking.ts'
import { isForced } from './tools.ts'

/** What of a request decides which defaults it has room for. */
const DECIDING = [
  'max_tokens',
  'output_config',
  'temperature',
  'thinking',
  'tool_choice',
  'tools',
  'top_k',
  'top_p',
] as const

/** What Anthropic counts (https://platform.claude.com/docs/en/api/messages-count-tokens). */
export const COUNTED = ['messages', 'system', 'tools', 'tool_choice', 'thinking'] as const

/** Stands for whatever tools a client has. */
const SOME_TOOL: JsonObject = { name: 'tool' }

/**
 * A deployment's defaults in Anthropic's words, as JSON texts, for a body in these: what a chat would be told, without what
 * the request says itself, and without what it leaves no room for. Undefined: there are none.
 */
export function toldDefaults(
  target: Target,
  body: Buffer,
  spans: JsonSpans,
  only?: readonly string[],
): Readonly<Record<string, string>> | undefined {
  if (hasNone(target.bodyDefaults)) return undefined
  const has = (name: string): boolean => spans.members.some(({ key }) => key === name)
  const asked = Object.fromEntries(
    DECIDING.filter(has).map((name): [string, Json] => [
      name,
      name === 'tools' ? [SOME_TOOL] : (memberValue(body, spans, name) ?? null),
    ]),
  )
  const defaults = roomFor(target, asked)
  const version = target.apiVersion === undefined ? {} : { version: target.apiVersion }
  const words = toMessagesBody(
    { ...asked, messages: [] },
    { ...target, bodyDefaults: defaults },
    version,
  ).body
  const isTold = (name: string): boolean =>
    !has(name) && !UNTOLD.has(name) && (only === undefined || only.includes(name))
  const told = Object.entries(picked(words, Object.keys(words).filter(isTold))).filter(([name, value]) =>
    isMeant(name, value, { asked, defaults, messages: () => memberValue(body, spans, 'messages') }),
  )
  return told.length === 0
    ? undefined
    : Object.fromEntries(told.map(([name, value]) => [name, JSON.stringify(value)]))
}

/** A body with the deployment's defaults, in the form that the model knows; undefined where that is the same. */
export function filledAndRefitted(
  target: Target,
  body: Buffer,
  spans: JsonSpans,
  only?: readonly string[],
): Refitted | undefined {
  const told = toldDefaults(target, body, spans, only)
  if (told === undefined) return refitted(target, body, spans)
  const filled = spliceBody(body, spans, { set: told })
  return refitted(target, filled, scanObject(filled)) ?? { body: filled, dropped: [] }
}

/** The client's own, or said elsewhere. */
const UNTOLD: ReadonlySet<string> = new Set(['anthropic_version', 'messages', 'model', 'stream'])

/** The defaults that may be told beside what is asked. */
function roomFor({ bodyDefaults, model }: Target, asked: JsonObject): JsonObject {
  const { response_format: format, reasoning_effort: effort, ...defaults } = bodyDefaults
  // An answer that is made a tool's input would reach the client as a call of that tool.
  const isTold = isJsonObject(format) && format['type'] === 'json_schema' && claudeModel(model).knowsSchemas
  return {
    ...defaults,
    ...(isTold && { response_format: format }),
    // Whoever says how to think says how hard.
    ...(effort !== undefined && asked['thinking'] === undefined && { reasoning_effort: effort }),
  }
}

/** A default and what it meets. */
interface Met {
  readonly asked: JsonObject
  readonly defaults: JsonObject
  readonly messages: () => Json | undefined
}

function isMeant(name: string, value: Json | undefined, { asked, defaults, messages }: Met): boolean {
  switch (name) {
    // Everybody names one; who does not is told so, as without defaults.
    case 'max_tokens':
      return defaults['max_tokens'] !== undefined || defaults['max_completion_tokens'] !== undefined
    case 'thinking':
      return isJsonObject(value) && (value['type'] === 'disabled' || mayThink(value, asked, messages))
    case 'tool_choice':
      return !(isForcedIn(value) && thinks(asked['thinking']))
    default:
      return value !== undefined
  }
}

/** https://platform.claude.com/docs/en/build-with-claude/extended-thinking: what thoughts do not go with. */
function mayThink(thinking: JsonObject, asked: JsonObject, messages: Met['messages']): boolean {
  if (excludesThoughts(asked) || isForcedIn(asked['tool_choice'])) return false
  if (thinking['type'] !== 'enabled') return true
  const { budget_tokens: budget } = thinking
  const { max_tokens: most } = asked
  if (typeof budget === 'number' && typeof most === 'number' && budget >= most) return false
  return !continuesWithoutThoughts(turnsIn(messages()))
}

function thinks(thinking: Json | undefined): boolean {
  return isJsonObject(thinking) && thinking['type'] !== 'disabled'
}

function isForcedIn(choice: Json | undefined): boolean {
  return isJsonObject(choice) && isForced({ tool_choice: choice })
}
