import type { Deployment } from '../src/core/deployment.ts'
import { MODES } from '../src/core/mode.ts'
import type { Mode } from '../src/core/mode.ts'
import { Secret } from '../src/core/secret.ts'
import type { Connected, ProviderAdapter } from '../src/providers/adapter.ts'
import { createCredentials } from '../src/providers/auth/credentials.ts'

/** What the pages say of one provider; all of it found out by asking its adapter as the program does. */
export interface ProviderFacts {
  readonly id: string
  readonly modes: readonly Mode[]
  /** Of modes that only some of its models have: which. */
  readonly partly: readonly { readonly mode: Mode; readonly models: string }[]
  /** Of its chat, or of completions where it has no chat; absent where it has neither. */
  readonly streams?: boolean
  /** Does its chat take tools? Absent where it has none. */
  readonly tools?: boolean
  /** The free requests, below the base; absent where it has none. */
  readonly free?: { readonly looks: readonly string[]; readonly isPublic: boolean }
  /** How a request carries its credential. */
  readonly auth: string
  /** Its own address. */
  readonly base?: string
  /** Variables that name the address, that hold the key, and that are read whatever is written. */
  readonly baseEnv: readonly string[]
  readonly keyEnv: readonly string[]
  readonly alsoEnv: readonly string[]
  readonly isKeyless: boolean
}

const KEY = 'KEY-OF-THE-PAGE'
const BASE = 'https://host.test/v1'

/** Asks an adapter. */
export function providerFacts(adapter: ProviderAdapter): ProviderFacts {
  const always = namesRead(adapter, { key: KEY, base: BASE })
  const without = (names: readonly string[]): readonly string[] =>
    names.filter((name) => !always.includes(name))
  const keyless = connect(adapter, { base: BASE }, () => undefined)
  const base = ownBase(adapter, always)
  const words = has(adapter, 'chat')
    ? adapter.codecs.chat
    : has(adapter, 'completion')
      ? adapter.codecs.completion
      : 'unsupported'
  const free = freeFacts(adapter)
  return {
    id: adapter.id,
    modes: MODES.filter((mode) => has(adapter, mode)),
    partly: partlyOf(adapter),
    ...(words !== 'unsupported' && {
      streams: words.relay !== undefined || words.openStream !== undefined,
    }),
    ...(has(adapter, 'chat') && { tools: takesTools(adapter) }),
    ...(free !== undefined && { free }),
    auth: adapter.auth ?? authOf(connect(adapter, { key: KEY, base: BASE }, () => undefined)),
    ...(base !== undefined && { base }),
    baseEnv: without(namesRead(adapter, { key: KEY })),
    keyEnv: without(namesRead(adapter, { base: BASE })),
    alsoEnv: always,
    isKeyless: keyless !== undefined,
  }
}

function has({ codecs, realtime, onlyMode }: ProviderAdapter, mode: Mode): boolean {
  if (onlyMode !== undefined && onlyMode !== mode) return false
  return mode === 'realtime' ? realtime !== 'unsupported' : codecs[mode] !== 'unsupported'
}

function partlyOf(adapter: ProviderAdapter): ProviderFacts['partly'] {
  return MODES.flatMap((mode) => {
    const codec = mode === 'realtime' ? 'unsupported' : adapter.codecs[mode]
    const models = codec === 'unsupported' ? undefined : codec.servedModels
    return models === undefined ? [] : [{ mode, models }]
  })
}

/** What a deployment says of its connection here. */
interface Written {
  readonly key?: string
  readonly base?: string
}

function connect(
  adapter: ProviderAdapter,
  written: Written,
  read: (name: string) => string | undefined,
): Connected | undefined {
  const env = new Proxy({}, { get: (_, name) => read(String(name)), has: () => false })
  try {
    const connected = adapter.connect(deploymentOf(adapter, written), env)
    return 'target' in connected ? connected : undefined
  } catch {
    // An adapter that stumbles over made-up values has nothing to show for them.
    return undefined
  }
}

/** Which variables it looks for, in order, where none of them is set. */
function namesRead(adapter: ProviderAdapter, written: Written): readonly string[] {
  const names = new Set<string>()
  connect(adapter, written, (name) => {
    names.add(name)
    return undefined
  })
  return [...names]
}

/** Its own address; `{NAME}` stands for a variable that is part of it. */
function ownBase(adapter: ProviderAdapter, always: readonly string[]): string | undefined {
  const isPart = (name: string): boolean =>
    always.includes(name) || /(ACCOUNT_ID|REGION|LOCATION|PROJECT)/.test(name)
  const connected = connect(adapter, { key: KEY }, (name) => (isPart(name) ? `{${name}}` : undefined))
  return connected === undefined ? undefined : decodeURIComponent(connected.target.base)
}

function authOf(connected: Connected | undefined): string {
  const wire = { method: 'GET', url: `${BASE}/models`, headers: {} } as const
  const transport = { send: () => Promise.reject(new Error('closed')) }
  const closed = { transport, now: () => 0, credentials: createCredentials() }
  const sent = connected?.authorize(wire, closed)
  if (sent instanceof Promise) {
    sent.catch(() => {})
    return '–'
  }
  const found = Object.entries(sent?.headers ?? {}).find(([, value]) => value.includes(KEY))
  return found === undefined ? '–' : `\`${found[0]}: ${found[1].replace(KEY, '…')}\``
}

/** At its own address, where it has one: bases may name a version of before tools. */
function takesTools(adapter: ProviderAdapter): boolean {
  const { chat } = adapter.codecs
  if (chat === 'unsupported') return false
  const parameters = { type: 'object', properties: {} }
  const tools = [{ type: 'function', function: { name: 'look_it_up', parameters } }]
  const somewhere = { provider: 'p', model: 'm', base: BASE, bodyDefaults: {} }
  const target = connect(adapter, { key: KEY }, () => undefined)?.target ?? somewhere
  const messages = [{ role: 'user', content: 'ping' }]
  try {
    const { body, dropped = [] } = chat.encode({ messages, tools }, target)
    return !dropped.includes('tools') && String(body).includes('look_it_up')
  } catch {
    // It says that it takes none.
    return false
  }
}

function freeFacts(adapter: ProviderAdapter): ProviderFacts['free'] {
  const target = connect(adapter, { key: KEY, base: BASE }, () => undefined)?.target
  if (target === undefined) return undefined
  const url = adapter.freeUrl?.(target)
  const first = adapter.freeRequest?.(target) ?? (url === undefined ? undefined : { method: 'GET', url })
  if (first === undefined) return undefined
  const loaded = adapter.residence?.url(target)
  const looks = [first, ...(loaded === undefined ? [] : [{ method: 'GET', url: loaded }])].map(
    (look) => `${look.method} ${new URL(look.url).pathname.replace(/^\/v1(?=\/)/, '')}`,
  )
  return { looks, isPublic: adapter.isFreePublic === true }
}

function deploymentOf(
  { id, cheapChatModel = 'the-model' }: ProviderAdapter,
  { key, base }: Written,
): Deployment {
  return {
    index: 0,
    id: 'page',
    group: 'page',
    model: `${id}/${cheapChatModel}`,
    provider: id,
    upstreamModel: cheapChatModel,
    mode: 'chat',
    modeSource: 'default',
    connection: {
      headers: {},
      settings: { project_id: 'the-project' },
      secrets: {},
      ...(key !== undefined && { apiKey: new Secret(key) }),
      ...(base !== undefined && { apiBase: base }),
    },
    bodyDefaults: {},
    timeouts: {},
    probe: { params: {}, backgroundDisabled: false },
    shown: {},
    clientConnectionFields: [],
    shownParams: {},
    info: {},
  }
}
