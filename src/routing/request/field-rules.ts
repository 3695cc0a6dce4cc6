import type { Json, JsonObject } from '../../core/json.ts'
import { isJsonObject } from '../../core/json.ts'
import { memberValue, scanObject, spliceBody } from '../../core/json-spans.ts'
import type { JsonSpans } from '../../core/json-spans.ts'
import type { Line } from '../../providers/call.ts'
import { refusedBy } from '../../providers/refused-params.ts'
import type { HttpMode } from '../../core/mode.ts'

/** What a request says of members that its provider may not take; it adds to what the config says. */
export interface FieldRules {
  /** `drop_params`: leave out what the provider is known to refuse. */
  readonly dropParams?: boolean
  /** `additional_drop_params`: names, and paths such as `tools[*].function.strict`. */
  readonly drop: readonly string[]
  /** `allowed_openai_params`: never left out by `drop_params`. */
  readonly keep: readonly string[]
}

/** Nobody names more by hand. */
const MAX_PATHS = 100
/** A longer one leads nowhere that anybody meant, and walking it takes time. */
const MAX_PATH_CHARS = 256

/** Reads the three members; undefined where there is none of them. */
export function readFieldRules(
  body: Buffer,
  spans: JsonSpans,
  fields: readonly string[],
): FieldRules | undefined {
  if (!fields.some((field) => RULE_FIELDS.has(field))) return undefined
  const dropParams = memberValue(body, spans, 'drop_params')
  return {
    ...(typeof dropParams === 'boolean' && { dropParams }),
    drop: namesIn(memberValue(body, spans, 'additional_drop_params')),
    keep: namesIn(memberValue(body, spans, 'allowed_openai_params')),
  }
}

const RULE_FIELDS: ReadonlySet<string> = new Set([
  'additional_drop_params',
  'allowed_openai_params',
  'drop_params',
])

function namesIn(list: Json | undefined): readonly string[] {
  if (!Array.isArray(list)) return []
  return list
    .filter((each) => typeof each === 'string')
    .filter(({ length }) => length <= MAX_PATH_CHARS)
    .slice(0, MAX_PATHS)
}

/** A body with what the rules leave out left out; the very same where that is nothing. */
export interface Fitted {
  readonly body: Buffer
  readonly spans: JsonSpans
  /** Names and paths that were left out. */
  readonly dropped: readonly string[]
}

/**
 * Leaves out of a body what the request, its deployment or the whole config says must not go to this provider.
 * Members go by splicing; only a path into one needs that one parsed.
 * @throws GatewayError bad_request (the client's doing) where such a member is not valid inside
 */
export function fitted(
  body: Buffer,
  spans: JsonSpans,
  line: Line,
  mode: HttpMode,
  asked: FieldRules | undefined,
): Fitted {
  const refused = refusedBy(line, mode, asked?.dropParams)
  const { drop } = line.fieldRules
  const paths = asked === undefined ? drop : [...drop, ...asked.drop]
  if (refused.length === 0 && paths.length === 0) return { body, spans, dropped: NONE }
  const has = (key: string): boolean => spans.members.some((member) => member.key === key)
  const unwanted = refused.filter((name) => has(name) && asked?.keep.includes(name) !== true)
  const steps = paths.map((path) => stepsOf(path)).filter(([first = '']) => has(first))
  const whole = steps.filter(({ length }) => length === 1).map(([first = '']) => first)
  const remove = [...unwanted, ...whole.filter((name) => !NEVER_DROPPED.has(name))]
  const set = changed(
    body,
    spans,
    steps.filter(([first = '', ...rest]) => rest.length > 0 && !remove.includes(first)),
  )
  if (remove.length === 0 && Object.keys(set).length === 0) return { body, spans, dropped: NONE }
  const own = spliceBody(body, spans, { remove, set })
  return { body: own, spans: scanObject(own), dropped: [...remove, ...Object.keys(set)] }
}

const NONE: readonly string[] = []
/** Without these it would be another request. */
const NEVER_DROPPED: ReadonlySet<string> = new Set(['model', 'messages', 'prompt', 'input', 'stream'])

/** JSON texts of the members that these paths lead into, each parsed once; those that stay as they were left out. */
function changed(
  body: Buffer,
  spans: JsonSpans,
  paths: readonly (readonly string[])[],
): Readonly<Record<string, string>> {
  const values = new Map<string, { readonly before: Json | undefined; readonly after: Json | undefined }>()
  for (const [first = '', ...rest] of paths) {
    const known = values.get(first)
    const before = known === undefined ? memberValue(body, spans, first) : known.before
    values.set(first, { before, after: without(known === undefined ? before : known.after, rest) })
  }
  const texts = [...values].map(([name, { before, after }]) => ({
    name,
    before: JSON.stringify(before),
    after: JSON.stringify(after),
  }))
  return Object.fromEntries(
    texts.filter(({ before, after }) => before !== after).map(({ name, after }) => [name, after]),
  )
}

/** `tools[*].function.strict` → `tools`, `*`, `function`, `strict`; `tools[0]` → `tools`, `0`. */
function stepsOf(path: string): readonly string[] {
  return path.split(/[.[\]]/).filter((step) => step !== '')
}

/** A value without what a path leads to; where it leads nowhere the value is as it was. */
function without(value: Json | undefined, [step = '', ...rest]: readonly string[]): Json | undefined {
  if (Array.isArray(value)) {
    const list: readonly Json[] = value
    const isMeant = (index: number): boolean => step === '*' || step === String(index)
    return rest.length === 0
      ? list.filter((_, index) => !isMeant(index))
      : list.map((each, index) => (isMeant(index) ? (without(each, rest) ?? null) : each))
  }
  if (!isJsonObject(value) || !Object.hasOwn(value, step)) return value
  const { [step]: inner, ...others } = value
  const left: JsonObject = rest.length === 0 ? others : { ...value, [step]: without(inner, rest) }
  return left
}
