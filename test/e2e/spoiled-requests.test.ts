import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { COMPATIBLE_LAWS } from '../../src/fake-provider/natives/compatible-laws.ts'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import { KEYS, nativeDeployments, rowDeployments, tokenHosts } from './all-providers.ts'
import { askHealth, withModels, type HealthAnswer, type Listed } from './health-answer.ts'
import { MUTATIONS, startMutatingProxy, type Mutation } from './mutating-proxy.ts'

const fake = await startFakeProvider({ keys: KEYS })
after(() => fake.stop())

const [KEY] = KEYS
const SETTINGS = { general_settings: { drain_delay: 0 } }
const ENV = tokenHosts(`${fake.url}/ok`)

/** What a deployment is found out to be when its requests are spoiled. */
type Verdicts = Readonly<Record<(typeof MUTATIONS)[number], string>>

const USUAL: Verdicts = { path: 'not_found', auth: 'auth', extra: 'bad_request', missing: 'bad_request' }
/** Whatever is changed, the signature is no longer right. */
const SIGNED: Verdicts = { path: 'auth', auth: 'auth', extra: 'auth', missing: 'auth' }
/** What else stands in the body is nobody's affair, by the provider's own documentation. */
const OPEN: Verdicts = { ...USUAL, extra: 'healthy' }
/** A list is asked for without a body. */
const LIST: Verdicts = { ...USUAL, extra: 'healthy', missing: 'healthy' }

/** Those that are not as usual: the first that fits. */
const OTHERS: readonly (readonly [RegExp, Verdicts])[] = [
  [/amazon\.nova-pro/, USUAL],
  [/ of bedrock/, SIGNED],
  [/^(chat|completion) of (openai|azure|azure_text|text-completion-openai|nvidia_nim)\//, OPEN],
  [/vertex_ai\/(jamba|openai\/\d)/, OPEN],
  [/^chat of assemblyai|^rerank of openai/, OPEN],
  [/^batch of (anthropic|mistral)/, { ...LIST, extra: 'bad_request' }],
  [/^batch of/, LIST],
  // A model that is loaded, and says nothing.
  [/^(chat|completion) of ollama/, { ...USUAL, missing: 'empty' }],
  [/^embedding of ollama/, { ...USUAL, missing: 'wrong_shape' }],
  // Its model stands in the path.
  [/^audio_transcription of azure/, { ...USUAL, missing: 'healthy' }],
  // Its model stands in the query.
  [/^audio_transcription of deepgram/, { ...USUAL, missing: 'not_found' }],
]

/** Of the rows of the compatible table, whose chats are open, and some of which take no key. */
const ROWS: ReadonlyMap<string, Verdicts> = new Map(
  COMPATIBLE_LAWS.map(({ id, chats, isKeyless }) => {
    const verdicts = chats === false ? USUAL : OPEN
    return [id, isKeyless === true ? { ...verdicts, auth: 'healthy' } : verdicts]
  }),
)

/** Every provider, but for sessions; tokens are fetched without a proxy. */
function deploymentsAt(url: string): readonly Listed[] {
  const all = [...nativeDeployments(`${url}/ok`, KEY, `${fake.url}/ok`), ...rowDeployments(`${url}/ok`, KEY)]
  return all.filter(({ model_info: info }) => info?.['mode'] !== 'realtime')
}

/** The same, named after the mistake that is made on their way. */
function spoiled(how: Mutation, url: string): readonly Listed[] {
  return deploymentsAt(url).map(({ model_name: name, litellm_params, model_info = {} }) => ({
    model_name: `${name} ${how}`,
    litellm_params,
    model_info,
  }))
}

/** Starts a proxy for each mistake, and ends them. */
async function withProxies<Result>(
  mistakes: readonly Mutation[],
  use: (urls: ReadonlyMap<Mutation, string>) => Promise<Result>,
): Promise<Result> {
  const proxies = await Promise.all(mistakes.map((how) => startMutatingProxy(fake.url, how)))
  try {
    return await use(new Map(mistakes.map((how, at) => [how, proxies[at]?.url ?? ''])))
  } finally {
    await Promise.all(proxies.map((proxy) => proxy.stop()))
  }
}

/** Name → reason, or `healthy`. */
function verdictsOf(answer: HealthAnswer): Readonly<Record<string, string>> {
  return Object.fromEntries([
    ...answer.healthy_endpoints.map(({ model_name: name }) => [name, 'healthy']),
    ...answer.unhealthy_endpoints.map(({ model_name: name, reason }) => [name, reason]),
  ])
}

test('another path, no credential, a field more or a field less turns the verdict of every provider', () =>
  withProxies(['none', ...MUTATIONS], async (urls) => {
    const models = [...urls].flatMap(([how, url]) => spoiled(how, url))
    const expected: Record<string, string> = {}
    for (const { model_name: name } of deploymentsAt('')) {
      const verdicts = ROWS.get(name) ?? OTHERS.find(([pattern]) => pattern.test(name))?.[1] ?? USUAL
      expected[`${name} none`] = 'healthy'
      for (const how of MUTATIONS) expected[`${name} ${how}`] = verdicts[how]
    }
    await withModels(
      models,
      async (gateway) => assert.deepEqual(verdictsOf(await askHealth(gateway)), expected),
      SETTINGS,
      { env: ENV },
    )
  }))

test('what AWS has a signature of is refused as soon as anything in it was changed', () =>
  withProxies(['none', 'blank', 'path', 'extra', 'missing'], async (urls) => {
    const signed = [...urls].flatMap(([how, url]) =>
      spoiled(how, url).filter(({ model_name: name }) => / of bedrock/.test(name) && !/nova-pro/.test(name)),
    )
    await withModels(
      signed,
      async (gateway) => {
        const { healthy_endpoints: well, unhealthy_endpoints: sick } = await askHealth(gateway)
        assert.ok(well.every(({ model_name: name }) => name.endsWith(' none')))
        assert.equal(sick.length, well.length * 4)
        for (const { model_name: name, error = '' } of sick)
          assert.match(error, /The request signature we calculated does not match/, name)
      },
      SETTINGS,
    )
  }))
