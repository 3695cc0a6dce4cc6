import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { loadFiles, loadText, problemsOf, tableResolve } from './load-text.fixture.ts'
import { configFromModel } from './load.ts'
import { formatProblem } from './problem.ts'

const ONE = 'model_list:\n- model_name: m\n  litellm_params: {model: openai/x}\n'

describe('what stops the start says where it is and what to do', () => {
  const table: readonly (readonly [string, string, string])[] = [
    ['an empty file', '', 'fatal config.yaml: the file is empty; it needs a model_list'],
    ['a file of comments', '# nothing\n', 'fatal config.yaml: the file is empty; it needs a model_list'],
    ['a list', '- a\n', 'fatal config.yaml: must be a map with a model_list, not a list'],
    ['no YAML', 'a: b: c\n', 'fatal config.yaml:1:5: not valid YAML: bad indentation of a mapping entry'],
    [
      'no model_list',
      'general_settings: {}\n',
      'fatal config.yaml model_list: is missing; list the deployments under it',
    ],
    [
      'a model_list that is a map',
      'model_list: {a: 1}\n',
      'fatal config.yaml:1:13 model_list: must be a list; put "- " in front of each model_name',
    ],
    [
      'an entry that is text',
      'model_list: [gpt-4o]\n',
      'fatal config.yaml:1:14 model_list.0: must be a map with model_name and litellm_params, not text',
    ],
    [
      'a model that is a number',
      'model_list:\n- model_name: m\n  litellm_params: {model: 4}\n',
      'fatal config.yaml:3:27 model_list.0.litellm_params.model: must be text, not 4',
    ],
    [
      'params that are a list',
      'model_list:\n- model_name: m\n  litellm_params: [a]\n',
      'fatal config.yaml:3:19 model_list.0.litellm_params: must be a map of settings, not a list',
    ],
    [
      'an rpm that is a list',
      'model_list:\n- model_name: m\n  litellm_params: {model: openai/x, rpm: [1]}\n',
      'fatal config.yaml:3:42 model_list.0.litellm_params.rpm: must be a number, not a list',
    ],
    [
      'settings that are text',
      `${ONE}general_settings: on fire\n`,
      'fatal config.yaml:4:19 general_settings: must be a map of settings, not text',
    ],
    [
      'a switch that is a word',
      `${ONE}general_settings: {background_health_checks: maybe}\n`,
      'fatal config.yaml:4:46 general_settings.background_health_checks: must be true or false, not text',
    ],
    [
      'a rung that nothing follows',
      `${ONE}general_settings: {health_check_rung: none}\n`,
      'fatal config.yaml:4:39 general_settings.health_check_rung: must be auto or minimal, not text',
    ],
    [
      'fallbacks as a map',
      `${ONE}router_settings: {fallbacks: {a: [b]}}\n`,
      'fatal config.yaml:4:30 router_settings.fallbacks: must be a list of maps, each from one model group to a list of groups: [{"a": ["b", "c"]}], not a map',
    ],
    [
      'an interval of 0',
      `${ONE}general_settings: {health_check_interval: 0}\n`,
      'fatal config.yaml:4:43 general_settings.health_check_interval: must be a number above 0, not 0',
    ],
    [
      'a negative interval',
      `${ONE}general_settings: {health_check_interval: -5}\n`,
      'fatal config.yaml:4:43 general_settings.health_check_interval: must be a number above 0, not -5',
    ],
    [
      'an interval that is a word',
      `${ONE}general_settings: {health_check_interval: abc}\n`,
      'fatal config.yaml:4:43 general_settings.health_check_interval: must be a number, not text',
    ],
    [
      'an interval whose variable is not set',
      `${ONE}general_settings: {health_check_interval: os.environ/EVERY}\n`,
      'fatal config.yaml:4:43 general_settings.health_check_interval: must be a number above 0, but the environment variable EVERY is not set; set it',
    ],
  ]
  for (const [name, text, expected] of table) {
    test(name, async () => {
      assert.deepEqual(await problemsOf(text), [expected])
      assert.equal((await loadFiles({ 'config.yaml': text })).config, undefined)
    })
  }

  test('a file that is not there', async () => {
    const { problems } = await loadFiles({})
    assert.deepEqual(problems.map(formatProblem), ['config.yaml: cannot read config.yaml: no such file'])
  })

  test('a file of 33 MB', async () => {
    const { problems } = await loadFiles({ 'config.yaml': new Uint8Array(33 * 1024 * 1024) })
    assert.deepEqual(problems.map(formatProblem), [
      'config.yaml: too large: 33 MB in 1 file; a config may have 32 MB and 200 files',
    ])
  })

  test('a file that is not UTF-8', async () => {
    const { problems } = await loadFiles({ 'config.yaml': new Uint8Array([0x61, 0x3a, 0x20, 0xff]) })
    assert.deepEqual(problems.map(formatProblem), [
      'config.yaml: not valid YAML: the text is not UTF-8; save it as UTF-8',
    ])
  })

  test('all problems come at once, in the order of the lines', async () => {
    const text =
      'general_settings: {health_check_interval: 0}\nmodel_list:\n- model_name: [m]\n  litellm_params: {model: openai/x, tpm: {}}\n'
    assert.deepEqual(await problemsOf(text), [
      'fatal config.yaml:1:43 general_settings.health_check_interval: must be a number above 0, not 0',
      'fatal config.yaml:3:15 model_list.0.model_name: must be text, not a list',
      'fatal config.yaml:4:42 model_list.0.litellm_params.tpm: must be a number, not a map',
    ])
  })
})

describe('what is no reason to stop', () => {
  const table: readonly (readonly [string, string])[] = [
    ['an empty model_list', 'model_list: []\n'],
    ['a model_list of nothing', 'model_list:\n'],
    ['sections of nothing', `${ONE}general_settings:\nlitellm_settings:\nrouter_settings: ~\n`],
    ['model_info of nothing', `${ONE}  model_info: null\n`],
    ['keys for anchors', `x-defaults: {a: 1}\n.hidden: 2\n${ONE}`],
    [
      'numbers in quotes',
      `${ONE}general_settings: {health_check_interval: "30", background_health_checks: "True"}\n`,
    ],
  ]
  for (const [name, text] of table) test(name, async () => assert.deepEqual(await problemsOf(text), []))
})

describe('an unknown key is reported with its place and what was meant', () => {
  const table: readonly (readonly [string, string])[] = [
    [
      `genral_settings: {}\n${ONE}`,
      'warning config.yaml:1:1 genral_settings: unknown key, ignored; did you mean "general_settings"?',
    ],
    [
      `${ONE}general_settings: {master_kye: x}\n`,
      'warning config.yaml:4:20 general_settings.master_kye: unknown key, ignored; did you mean "master_key"?',
    ],
    [
      `${ONE}general_settings: {routing_strategy: x}\n`,
      'warning config.yaml:4:20 general_settings.routing_strategy: not read here; move it to litellm_settings',
    ],
    [
      `${ONE}master_key: x\n`,
      'warning config.yaml:4:1 master_key: not read here; move it into general_settings',
    ],
    [
      `${ONE}  litelm_params: {}\n`,
      'warning config.yaml:4:3 model_list.0.litelm_params: unknown key, ignored; did you mean "litellm_params"?',
    ],
    [
      `${ONE}  api_key: x\n`,
      'warning config.yaml:4:3 model_list.0.api_key: not read here; move it to litellm_params',
    ],
    [
      `${ONE}  mode: chat\n`,
      'warning config.yaml:4:3 model_list.0.mode: not read here; move it to model_info',
    ],
    [
      `${ONE}    api_bse: x\n`.replace('{model: openai/x}', '\n    model: openai/x'),
      'warning config.yaml:5:5 model_list.0.litellm_params.api_bse: unknown key, ignored; did you mean "api_base"?',
    ],
    [
      `${ONE}    frobnicate: 1\n`.replace('{model: openai/x}', '\n    model: openai/x'),
      'warning config.yaml:5:5 model_list.0.litellm_params.frobnicate: unknown key: sent upstream in every request body',
    ],
    [
      `${ONE}    mode: rerank\n`.replace('{model: openai/x}', '\n    model: openai/x'),
      'warning config.yaml:5:5 model_list.0.litellm_params.mode: not read here; move it to model_info (it is used as a hint until then)',
    ],
    [
      `${ONE}  model_info: {health_check_tiemout: 3}\n`,
      'warning config.yaml:4:16 model_list.0.model_info.health_check_tiemout: carried as a key of your own; did you mean "health_check_timeout"?',
    ],
    [
      `${ONE}  model_info: {api_base: x}\n`,
      'warning config.yaml:4:16 model_list.0.model_info.api_base: not read here; move it to litellm_params',
    ],
    [
      `${ONE}litellm_settings: {callbacks: [my_code.handler]}\n`,
      'warning config.yaml:4:32 litellm_settings.callbacks.0: names Python code, which cannot run here; it is skipped',
    ],
  ]
  for (const [text, expected] of table) {
    test(expected.replace(/^warning \S+ /, ''), async () =>
      assert.deepEqual(await problemsOf(text), [expected]),
    )
  }

  test('keys of the user’s own in model_info are nobody’s business', async () => {
    assert.deepEqual(await problemsOf(`${ONE}  model_info: {costFactor: 2, tags: [a], team: red}\n`), [])
  })

  test('the same mistake in many places is told once, with its number', async () => {
    const entry = '- model_name: m\n  litellm_params: {model: openai/x, api_bse: b}\n  model_info: {id: ID}\n'
    const text = `model_list:\n${Array.from({ length: 12 }, (_, index) => entry.replace('ID', `"${index}"`)).join('')}`
    assert.deepEqual(await problemsOf(text), [
      'warning config.yaml:3:37 model_list.0.litellm_params.api_bse: unknown key, ignored; did you mean "api_base"? (and 11 more like it)',
    ])
  })
})

describe('variables', () => {
  test('an unset variable stops that deployment only, by name', async () => {
    const text = `${ONE}- model_name: n\n  litellm_params: {model: openai/y, api_key: os.environ/NOT_THERE}\n`
    const config = await loadText(text)
    const message =
      'model_list.1.litellm_params.api_key: the environment variable NOT_THERE is not set; set it, or remove this line'
    assert.deepEqual(
      config.deployments.map(({ misconfigured }) => misconfigured),
      [undefined, { message }],
    )
  })

  test('a set variable is used, and true in it is a boolean', async () => {
    const text =
      'model_list:\n- model_name: m\n  litellm_params: {model: openai/x, top_k: os.environ/K, store: os.environ/STORE}\n'
    const { deployments } = await loadText(text, { K: '5', STORE: 'TRUE' })
    assert.deepEqual(deployments[0]?.bodyDefaults, { top_k: '5', store: true })
  })

  test('settings are resolved at any depth', async () => {
    const text = `${ONE}general_settings: {master_key: os.environ/KEY, health_check_interval: os.environ/EVERY}\n`
    const { general } = await loadText(text, { KEY: 'sk-from-env', EVERY: '12.5' })
    assert.equal(general.masterKey?.reveal(), 'sk-from-env')
    assert.equal(general.healthCheckIntervalMs, 12_500)
  })

  test('a master key whose variable is not set closes the gateway, and that is said', async () => {
    const { general } = await loadText(`${ONE}general_settings: {master_key: os.environ/KEY}\n`)
    assert.deepEqual([general.masterKey, general.isMasterKeyUnset], [undefined, true])
    assert.deepEqual(await problemsOf(`${ONE}general_settings: {master_key: os.environ/KEY}\n`), [
      'error config.yaml:4:32 general_settings.master_key: the environment variable KEY is not set, so every key is refused; set it, or remove master_key to run open',
    ])
  })

  test('without a master key, or with an empty one, the gateway is open', async () => {
    const empty = `${ONE}general_settings: {master_key: }\n`
    for (const text of [ONE, empty]) assert.equal((await loadText(text)).general.isMasterKeyUnset, false)
  })

  test('LITELLM_MASTER_KEY counts where the config has no key', async () => {
    assert.equal(
      (await loadText(ONE, { LITELLM_MASTER_KEY: 'sk-1234' })).general.masterKey?.reveal(),
      'sk-1234',
    )
  })

  test('environment_variables fill gaps in .env, which fills gaps in the environment', async () => {
    const { config } = await loadFiles(
      {
        'config.yaml': `${ONE}environment_variables: {A: config, B: config, C: os.environ/A, D: 5}\n`,
        '.env': 'A=dotenv\nB="dotenv"\n',
      },
      { A: 'process' },
    )
    const { A, B, C, D } = { ...config?.env }
    assert.deepEqual([A, B, C, D], ['process', 'dotenv', 'process', '5'])
  })

  test('.env is left alone in production', async () => {
    const { config } = await loadFiles({ 'config.yaml': ONE, '.env': 'A=1' }, { LITELLM_MODE: 'PRODUCTION' })
    assert.equal(config?.env['A'], undefined)
  })

  test('shell forms are kept as they stand, and the right form is named', async () => {
    const text =
      'model_list:\n- model_name: m\n  litellm_params:\n    model: openai/x\n    api_key: ${OPENAI_API_KEY:-none}\n    api_base: $BASE_URL\n    user: $ecret\n'
    assert.deepEqual(await problemsOf(text), [
      'warning config.yaml:5:14 model_list.0.litellm_params.api_key: "$" names no variable here and is kept as it stands; write os.environ/OPENAI_API_KEY as the whole value',
      'warning config.yaml:6:15 model_list.0.litellm_params.api_base: "$" names no variable here and is kept as it stands; write os.environ/BASE_URL as the whole value',
    ])
    assert.equal((await loadText(text)).deployments[0]?.connection.apiBase, '$BASE_URL')
  })

  test('probe defaults come from the environment; what cannot be read is ignored aloud', async () => {
    const env = { HEALTH_CHECK_TIMEOUT_SECONDS: '1.5', BACKGROUND_HEALTH_CHECK_MAX_TOKENS: 'many' }
    const { probing } = await loadText(ONE, env)
    assert.deepEqual(probing, { timeoutMs: 1500, prompt: 'test from litellm' })
    assert.deepEqual(await problemsOf(ONE, env), [
      'warning config.yaml BACKGROUND_HEALTH_CHECK_MAX_TOKENS: the environment variable BACKGROUND_HEALTH_CHECK_MAX_TOKENS must be a number; ignored',
    ])
  })
})

describe('include', () => {
  test('lists are put together, maps are merged, paths are relative to the including file', async () => {
    const { config, problems } = await loadFiles({
      'config.yaml': `include: [parts/a.yaml]\n${ONE}general_settings: {master_key: sk-main-key, drain_delay: 1}\n`,
      'parts/a.yaml': 'include: b.yaml\nmodel_list:\n- model_name: a\n  litellm_params: {model: openai/a}\n',
      'parts/b.yaml':
        'model_list:\n- model_name: b\n  litellm_params: {model: openai/b}\ngeneral_settings: {drain_delay: 2}\n',
    })
    assert.deepEqual(
      config?.deployments.map(({ group }) => group),
      ['m', 'a', 'b'],
    )
    assert.equal(config?.general.masterKey?.reveal(), 'sk-main-key')
    assert.equal(config?.general.drainDelayMs, 2000)
    assert.deepEqual(problems.map(formatProblem), [
      'parts/b.yaml:4:20 general_settings.drain_delay: set in config.yaml too; this one wins',
    ])
  })

  test('a problem in an included file names that file', async () => {
    const { problems } = await loadFiles({
      'config.yaml': `include: [b.yaml]\n${ONE}`,
      'b.yaml': 'model_list:\n- model_name: b\n  litellm_params: {model: 5}\n',
    })
    assert.deepEqual(problems.map(formatProblem), [
      'b.yaml:3:27 model_list.1.litellm_params.model: must be text, not 5',
    ])
  })

  test('files that include each other are refused with the whole circle', async () => {
    const { config, problems } = await loadFiles({
      'config.yaml': `include: [b.yaml]\n${ONE}`,
      'b.yaml': 'include: [./config.yaml]\nmodel_list: []\n',
    })
    assert.equal(config, undefined)
    assert.deepEqual(problems.map(formatProblem), [
      'b.yaml:1:11 include: the files include each other: config.yaml → b.yaml → config.yaml; break the circle',
    ])
  })

  test('an included file that is not there', async () => {
    const { problems } = await loadFiles({ 'config.yaml': `include: [b.yaml]\n${ONE}` })
    assert.deepEqual(problems.map(formatProblem), [
      'config.yaml:1:11 include: cannot read b.yaml: no such file',
    ])
  })

  test('a model_list is not missed where the file that may have it cannot be read', async () => {
    const { problems } = await loadFiles({ 'config.yaml': 'include: [b.yaml]\n' })
    assert.deepEqual(problems.map(formatProblem), [
      'config.yaml:1:11 include: cannot read b.yaml: no such file',
    ])
  })
})

test('settings that nothing acts on are listed', async () => {
  const text = `${ONE}    max_budget: 2\nlitellm_settings: {cache: true, telemetry: true}\nrouter_settings: {default_priority: 1, timeout: 3}\nguardrails: []\n`
  const config = await loadText(text.replace('{model: openai/x}', '\n    model: openai/x'))
  assert.deepEqual(config.notActedOn, [
    'guardrails',
    'litellm_settings.cache',
    'litellm_settings.telemetry',
    'router_settings.default_priority',
    'model_list.litellm_params.max_budget',
  ])
  assert.equal(config.litellm.requestTimeoutMs, 3000)
})

test('what a stream may be silent for, who may read metrics and what is logged are read', async () => {
  const settings =
    'router_settings: {stream_timeout: 9, ttft_timeout: "0.5", stream_idle_timeout: 7}\n' +
    'litellm_settings: {require_auth_for_metrics_endpoint: false}\ngeneral_settings: {log_success_sample: 0.5}\n'
  const { router, litellm, general, notActedOn } = await loadText(`${ONE}${settings}`)
  assert.deepEqual(
    [router.streamTimeoutMs, router.firstTokenMs, router.streamIdleMs, litellm.metricsNeedKey],
    [9000, 500, 7000, false],
  )
  assert.deepEqual([general.logSuccessSample, notActedOn], [0.5, []])
  const none = await loadText(`${ONE}router_settings: {ttft_timeout: 0, stream_idle_timeout: 0}\n`)
  assert.deepEqual([none.router.firstTokenMs, none.router.streamIdleMs], [undefined, undefined])
  const { problems } = await loadFiles({ 'config.yaml': `${ONE}general_settings: {log_success_sample: 2}\n` })
  assert.deepEqual(problems.map(formatProblem), [
    'config.yaml:4:40 general_settings.log_success_sample: must be a number from 0 to 1, not 2',
  ])
})

test('without any settings the defaults hold', async () => {
  const { general, litellm, network, router } = await loadText(ONE)
  assert.deepEqual(general, {
    isMasterKeyUnset: false,
    backgroundHealthChecks: false,
    healthCheckDetails: true,
    skipDisabledBackgroundModels: false,
    ignoreTransientErrors: false,
    drainDelayMs: 5000,
    drainTimeoutMs: 30_000,
    maxInFlight: 10_000,
    maxRequestBytes: 104_857_600,
    logSuccessSample: 0.01,
    clientHeadersTimeoutMs: 60_000,
    clientRequestTimeoutMs: 300_000,
  })
  assert.deepEqual(network, { connectTimeoutMs: 3000, sslVerify: true })
  assert.deepEqual(litellm, {
    requestTimeoutMs: 6_000_000,
    rewriteResponseModel: false,
    metricsNeedKey: true,
    dropParams: false,
    mediaHosts: [],
  })
  assert.deepEqual(router, {
    strategy: 'simple-shuffle',
    latencyWindowMs: 3_600_000,
    latencySlack: 0,
    aliases: new Map(),
    tags: { isEnabled: false, matchesAny: true },
    checksContextWindow: false,
    numRetries: 2,
    retryPolicy: {},
    groupRetryPolicies: new Map(),
    retryShare: 0.2,
    leastWaitMs: 0,
    fallbacks: new Map(),
    contextWindowFallbacks: new Map(),
    contentPolicyFallbacks: new Map(),
    maxFallbacks: 5,
    hedges: new Map(),
    cooldowns: { isEnabled: true, allowedFailsByKind: {} },
  })
})

test('--model makes a config of one deployment', async () => {
  const readFile = (): Promise<Uint8Array> => Promise.resolve(Buffer.from('LITELLM_MASTER_KEY=sk-dotenv'))
  const inputs = { env: {}, resolve: tableResolve, readFile, apiBase: 'http://h/v1' }
  const { config, problems } = await configFromModel('openai/gpt-4o', inputs)
  assert.deepEqual(problems, [])
  assert.equal(config?.path, '--model openai/gpt-4o')
  assert.equal(config?.general.masterKey?.reveal(), 'sk-dotenv')
  assert.deepEqual(
    config?.deployments.map(({ group, model, provider, upstreamModel, connection }) => [
      group,
      model,
      provider,
      upstreamModel,
      connection.apiBase,
    ]),
    [['openai/gpt-4o', 'openai/gpt-4o', 'openai', 'gpt-4o', 'http://h/v1']],
  )
})

test('10,000 deployments load without a second thought', async () => {
  const entry = (index: number): string =>
    `- model_name: group-${index}\n  litellm_params:\n    model: openai/gpt-${index}\n    api_key: os.environ/UNSET_${index}\n`
  const { config, problems } = await loadFiles({
    'config.yaml': `model_list:\n${Array.from({ length: 10_000 }, (_, index) => entry(index)).join('')}`,
  })
  assert.equal(config?.deployments.length, 10_000)
  assert.equal(problems.length, 10_000)
  assert.equal(problems.at(-1)?.line, 40_001)
})

test('how upstreams are connected to comes from the config, and SSL_VERIFY beats it', async () => {
  const yaml = `model_list:
  - model_name: a
    litellm_params: { model: openai/a, api_key: k, ssl_verify: "False" }
  - model_name: b
    litellm_params: { model: openai/b, api_key: k, ssl_verify: /etc/b.pem }
general_settings: { connect_timeout: 1.5 }
litellm_settings: { ssl_verify: /etc/ca.pem }
`
  const { network, deployments } = await loadText(yaml)
  assert.deepEqual(network, { connectTimeoutMs: 1500, sslVerify: '/etc/ca.pem' })
  assert.deepEqual(
    deployments.map(({ connection }) => connection.sslVerify),
    [false, '/etc/b.pem'],
  )
  const other = await loadText(yaml, { SSL_VERIFY: 'false', SSL_CERT_FILE: '/etc/all.pem' })
  assert.deepEqual(other.network, {
    connectTimeoutMs: 1500,
    sslVerify: false,
    authoritiesPath: '/etc/all.pem',
  })
})
