import type { Target } from '../adapter.ts'
import { JSON_HEADERS } from '../post-json.ts'
import { unescaped } from '../route.ts'

/** How a model is spoken to: in the words of all models, or in its own. */
export type BedrockRoute = 'converse' | 'invoke'

/** A model's name, taken apart. */
export interface BedrockModel {
  readonly route: BedrockRoute
  /** The name asks for Converse. */
  readonly saysConverse?: true
  /** The name says that it is a claude, where the id may say nothing. */
  readonly isClaude?: true
  /** An id, or the ARN of a profile or of a model of one's own; not encoded. */
  readonly id: string
  /** The region that the name itself gives. */
  readonly region?: string
}

/** A region of AWS: `us-east-1`, `ap-southeast-2`, `us-gov-west-1`. */
const REGION =
  /^(?:us|eu|ap|ca|sa|me|af|il|mx|cn)(?:-gov|-iso[a-z]?)?-(?:north|south|east|west|central)(?:east|west)?-\d$/
/** LiteLLM's words for the family of a model that is named by an ARN: all families speak Converse. */
const FAMILIES: ReadonlySet<string> = new Set([
  'anthropic',
  'claude',
  'converse_like',
  'deepseek_r1',
  'llama',
  'minimax',
  'mistral',
  'moonshot',
  'nova',
  'nova-2',
  'openai',
  'qwen2',
  'qwen3',
])
/** LiteLLM's routes to other services of AWS. */
const ELSEWHERE: ReadonlySet<string> = new Set(['agent', 'agentcore', 'async_invoke', 'mantle'])

/**
 * A model as it is written behind `bedrock/`: `<id>`, `<region>/<id>`, `converse/<id>`, `invoke/<region>/<id>`,
 * `llama/<arn>`. An ARN may come with `%3A` and `%2F` in it. A text says why it cannot be asked.
 */
export function parseModel(written: string): BedrockModel | string {
  let route: BedrockRoute = 'converse'
  let region: string | undefined
  let rest = written
  const words = new Set<string>()
  for (;;) {
    const [, word = ''] = /^([^/:%]+)\//.exec(rest) ?? []
    words.add(word)
    if (word === 'invoke') route = 'invoke'
    else if (REGION.test(word)) region = word
    else if (ELSEWHERE.has(word)) return `bedrock/${word}/ is a service of AWS that is not supported`
    else if (!(word === 'converse' || word === 'bedrock' || FAMILIES.has(word))) break
    rest = rest.slice(word.length + 1)
  }
  if (rest === '') return `"${written}" names no model`
  const id = /%(?:3a|2f)/i.test(rest) ? unescaped(rest) : rest
  const given = region ?? regionOfArn(id)
  return {
    route,
    id,
    ...(words.has('converse') && { saysConverse: true }),
    ...((words.has('anthropic') || words.has('claude')) && { isClaude: true }),
    ...(given !== undefined && { region: given }),
  }
}

/** `arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc` */
export function regionOfArn(id: string): string | undefined {
  const region = id.startsWith('arn:') ? id.split(':')[3] : undefined
  return region === undefined || region === '' ? undefined : region
}

const INVOKE = 'invoke/'

/**
 * A target's model: its id, after `invoke/` where it is to be spoken to in its own words. Only claudes' are known: all
 * others are spoken to by Converse, whatever is asked for.
 */
export function targetModel({ route, id }: BedrockModel): string {
  return route === 'invoke' && modelName(id).startsWith('anthropic.') ? INVOKE + id : id
}

/** The id of a model that is spoken to in its own words. */
export function invokedId(model: string): string | undefined {
  return model.startsWith(INVOKE) ? model.slice(INVOKE.length) : undefined
}

/** An inference profile's geography, before the vendor (https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html). */
const GEOGRAPHY = /^(?:us|eu|apac|jp|au|ca|sa|us-gov|global)\./

/**
 * The model itself, vendor first, as far as its name tells: `anthropic.claude-3-…` of an id, a profile, or the ARN of
 * either. A profile of one's own says nothing.
 */
export function modelName(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1).replace(GEOGRAPHY, '')
}

/**
 * What the config says of a model that may be a claude, beside its id: that it is to be asked by Converse (false), or by
 * another name, by a word before an ARN, or as its `base_model`, which one it is. Undefined: nothing.
 */
export function claudeBehind(
  { saysConverse, isClaude }: BedrockModel,
  names: readonly (string | undefined)[],
): string | false | undefined {
  if (saysConverse === true) return false
  const told = names
    .map((name) => modelName(name ?? ''))
    .find((name) => /^(?:anthropic\.|claude-)/.test(name))
  return told ?? (isClaude === true ? 'anthropic.claude' : undefined)
}

/**
 * The claude that may be asked in Anthropic's own words, by a name that tells as much as is known; undefined for all else.
 * The name is read when it is asked: what a wildcard stands for is known by then.
 */
export function claudeOf({ model, claude }: Pick<Target, 'model' | 'claude'>): string | undefined {
  if (claude === false) return undefined
  const name = modelName(invokedId(model) ?? model)
  return name.startsWith('anthropic.') ? name : claude
}

/** Is it Claude, or named by something that does not tell whose it is? */
export function mayBeClaude(name: string): boolean {
  return name.startsWith('anthropic.') || !name.includes('.')
}

/** A claude's generation as a number that can be compared: 307 for 3.7, 400 for 4; undefined for other models. */
export function claudeVersion(name: string): number | undefined {
  const [, old, oldMinor, , major, minor] =
    /^anthropic\.claude-(?:(\d)(?:-(\d{1,2}))?-(?=[a-z])|([a-z]+)-(\d{1,2})(?:-(\d{1,2})(?!\d))?)/.exec(
      name,
    ) ?? []
  const first = old ?? major
  return first === undefined ? undefined : Number(first) * 100 + Number(oldMinor ?? minor ?? 0)
}

/** `https://bedrock-runtime.<region>…/model/<id>/<action>`: the whole id is one segment, its colons and slashes encoded. */
export function modelUrl(base: string, id: string, action: string): string {
  return `${base}/model/${encodeURIComponent(id)}/${action}`
}

/** The headers of a request that is answered by an event stream. */
export const STREAM_HEADERS = { ...JSON_HEADERS, accept: 'application/vnd.amazon.eventstream' } as const
