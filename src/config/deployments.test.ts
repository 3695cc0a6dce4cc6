import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createRedact } from '../core/secret.ts'
import type { Deployment } from '../core/deployment.ts'
import { loadText, problemsOf } from './load-text.fixture.ts'

async function only(params: string, rest = '', env = {}): Promise<Deployment> {
  const { deployments } = await loadText(
    `model_list:\n- model_name: m\n  litellm_params: ${params}\n${rest}`,
    env,
  )
  const [deployment] = deployments
  assert.ok(deployment)
  return deployment
}

describe('the connection', () => {
  test('a password and a query in the address become secrets', async () => {
    const { connection } = await only(
      '{model: openai/x, api_base: "https://user:p%40ss@host.example/v1/?sig=abc"}',
    )
    assert.equal(connection.apiBase, 'https://host.example/v1/')
    assert.equal(connection.apiBaseQuery?.reveal(), 'sig=abc')
    assert.equal(connection.headers['authorization']?.reveal(), 'Basic dXNlcjpwQHNz')
  })

  test('headers are lower case and extra_headers win', async () => {
    const { connection } = await only(
      '{model: openai/x, headers: {X-A: "1", X-B: 2}, extra_headers: {x-a: three}}',
    )
    assert.deepEqual(
      Object.entries(connection.headers).map(([name, secret]) => [name, secret.reveal()]),
      [
        ['x-a', 'three'],
        ['x-b', '2'],
      ],
    )
  })

  test('an unquoted date is a version', async () => {
    assert.equal(
      (await only('{model: azure/x, api_version: 2024-10-21}')).connection.apiVersion,
      '2024-10-21',
    )
  })

  test('base_url is another name of api_base', async () => {
    assert.equal((await only('{model: openai/x, base_url: http://h/v1}')).connection.apiBase, 'http://h/v1')
  })

  test('timeouts are read in seconds, quoted or not; 0 counts as not set', async () => {
    assert.deepEqual((await only('{model: openai/x, timeout: "1.5", stream_timeout: 2}')).timeouts, {
      timeoutMs: 1500,
      streamTimeoutMs: 2000,
    })
    assert.deepEqual((await only('{model: openai/x, timeout: 0, request_timeout: 3}')).timeouts, {
      timeoutMs: 3000,
    })
    const streams = await only('{model: openai/x, ttft_timeout: "0.5", stream_idle_timeout: 7}')
    assert.deepEqual(
      [streams.timeouts, streams.bodyDefaults],
      [{ firstTokenMs: 500, streamIdleMs: 7000 }, {}],
    )
    assert.deepEqual((await only('{model: openai/x, ttft_timeout: 0, stream_idle_timeout: 0}')).timeouts, {})
  })

  test('a list of organizations makes one deployment each, under one id', async () => {
    const { deployments } = await loadText(
      'model_list:\n- model_name: m\n  litellm_params: {model: openai/x, organization: [org-1, org-2]}\n- model_name: n\n  litellm_params: {model: openai/y}\n',
    )
    assert.deepEqual(
      deployments.map(({ index }) => index),
      [0, 1, 2],
    )
    assert.deepEqual(
      deployments.map(({ connection }) => connection.organization?.reveal()),
      ['org-1', 'org-2', undefined],
    )
    assert.equal(deployments[0]?.id, deployments[1]?.id)
  })

  test('a credential fills in what the deployment lacks, and is no part of the id', async () => {
    const list =
      'credential_list:\n- credential_name: c\n  credential_values: {api_key: os.environ/K, api_base: http://c/v1}\n'
    const params = '{model: openai/x, api_base: http://own/v1, litellm_credential_name: c}'
    const made = await only(params, list, { K: 'sk-credential' })
    assert.equal(made.connection.apiKey?.reveal(), 'sk-credential')
    assert.equal(made.connection.apiBase, 'http://own/v1')
    assert.equal(made.id, (await only(params)).id)
  })

  test('a credential whose variable is not set stops those who use it', async () => {
    const list = 'credential_list:\n- credential_name: c\n  credential_values: {api_key: os.environ/K}\n'
    assert.match(
      (await only('{model: openai/x, litellm_credential_name: c}', list)).misconfigured?.message ?? '',
      /variable K is not set/,
    )
  })

  test('a credential that is not there is reported', async () => {
    assert.deepEqual(
      await problemsOf(
        'model_list:\n- model_name: m\n  litellm_params: {model: openai/x, litellm_credential_name: gone}\n',
      ),
      [
        'warning config.yaml:3:62 model_list.0.litellm_params.litellm_credential_name: credential_list has no "gone"; the deployment goes without it',
      ],
    )
  })

  test('fields that a client may set are names, or maps by name', async () => {
    const { clientConnectionFields } = await only(
      '{model: openai/x, configurable_clientside_auth_params: [api_key, {api_base: "^https://h"}]}',
    )
    assert.deepEqual(clientConnectionFields, ['api_key', 'api_base'])
  })
})

describe('the body gets', () => {
  const table: readonly (readonly [string, string, unknown])[] = [
    [
      'request parameters',
      '{model: openai/x, temperature: 0.5, top_k: 3, thinking: {type: enabled}}',
      { temperature: 0.5, top_k: 3, thinking: { type: 'enabled' } },
    ],
    [
      'what nobody knows',
      '{model: openai/x, frobnicate: [1, {a: 2023-07-01}]}',
      { frobnicate: [1, { a: '2023-07-01' }] },
    ],
    [
      'the fields of extra_body',
      '{model: openai/x, top_k: 1, extra_body: {top_k: 2, guided_json: {a: 1}}}',
      { top_k: 2, guided_json: { a: 1 } },
    ],
    [
      'no connection field',
      '{model: openai/x, api_key: k, api_version: v, organization: o, aws_region_name: r, vertex_project: p}',
      {},
    ],
    [
      'no misspelt connection field',
      '{model: openai/x, api_bse: b, api_kye: k, aws_acces_key_id: i, organisation: o}',
      {},
    ],
    [
      'no routing',
      '{model: openai/x, rpm: 1, tpm: 2, weight: 3, order: 1, tags: [a], max_retries: 0, num_retries: 1, cooldown_time: 1}',
      {},
    ],
    [
      'no price',
      '{model: openai/x, input_cost_per_token: 1, cache_read_input_token_cost: 2, output_cost_per_second: 1}',
      {},
    ],
    [
      'nothing of LiteLLM’s own',
      '{model: openai/x, mock_response: hi, use_in_pass_through: true, drop_params: true, merge_reasoning_content_in_choices: true, mode: chat, metadata: {a: 1}, litellm_trace_id: t}',
      {},
    ],
    ['no null', '{model: openai/x, seed: null}', {}],
  ]
  for (const [name, params, expected] of table) {
    test(name, async () => assert.deepEqual((await only(params)).bodyDefaults, expected))
  }
})

describe('default_litellm_params', () => {
  const load = (defaults: string, params: string, env = {}) =>
    loadText(
      `model_list:\n- model_name: g\n  litellm_params: ${params}\n` +
        'credential_list:\n- credential_name: c\n  credential_values: {api_base: http://cred/v1}\n' +
        `router_settings:\n  default_litellm_params: ${defaults}\n`,
      env,
    )
  const PARAMS = '{model: openai/x, temperature: 0, timeout: 5, top_p: null, litellm_credential_name: c}'

  test('are those of every deployment that has none of its own, and change no id', async () => {
    const { deployments, notActedOn } = await load(
      '{model: openai/other, temperature: 1, top_p: 0.5, seed: 7, timeout: 60, stream_timeout: 9, num_retries: 3, api_base: http://all/v1, api_key: os.environ/KEY}',
      PARAMS,
      { KEY: 'sk-of-all' },
    )
    const alone = await load('null', PARAMS)
    const [one] = deployments
    assert.equal(one?.model, 'openai/x')
    assert.equal(one.id, alone.deployments[0]?.id)
    assert.deepEqual(one.bodyDefaults, { temperature: 0, top_p: 0.5, seed: 7 })
    assert.deepEqual(one.timeouts, { timeoutMs: 5000, streamTimeoutMs: 9000 })
    assert.deepEqual(one.traffic, { numRetries: 3 })
    assert.equal(one.connection.apiBase, 'http://cred/v1')
    assert.equal(one.connection.apiKey?.reveal(), 'sk-of-all')
    assert.deepEqual(notActedOn, [])
  })

  test('may name the credential of all, which beats them', async () => {
    const defaults = '{litellm_credential_name: c, api_base: http://all/v1, api_key: sk-of-all}'
    const { deployments } = await load(defaults, '{model: openai/x}')
    assert.equal(deployments[0]?.connection.apiBase, 'http://cred/v1')
    assert.equal(deployments[0]?.connection.apiKey?.reveal(), 'sk-of-all')
    const [none] = await problemsOf(
      'model_list: []\nrouter_settings:\n  default_litellm_params: {litellm_credential_name: c}\n',
    )
    assert.match(none ?? '', /default_litellm_params.litellm_credential_name: credential_list has no "c"/)
  })

  test('are checked as any others, and what is secret there is one', async () => {
    const { secrets } = await load('{x_token: hide-me, api_key: os.environ/KEY}', '{model: openai/x}')
    assert.ok(secrets.some((secret) => secret.reveal() === 'hide-me'))
    const wrong = await problemsOf(
      'model_list: []\nrouter_settings:\n  default_litellm_params: {timeout: soon, api_bse: b}\n',
    )
    assert.match(wrong[0] ?? '', /^fatal .* router_settings.default_litellm_params.timeout: must be a number/)
    assert.match(wrong[1] ?? '', /^warning .* router_settings.default_litellm_params.api_bse: .*"api_base"/)
  })
})

test('max_retries counts for the router where it is more, and no answer at all can be had', async () => {
  assert.deepEqual((await only('{model: openai/x, max_retries: 4}')).traffic, { leastRetries: 4 })
  assert.equal((await only('{model: openai/x, max_retries: 0}')).traffic, undefined)
  const late = await only('{model: openai/x, mock_response: hi, mock_delay: 1.5}')
  assert.deepEqual([late.mockResponse, late.mockDelayMs], ['hi', 1500])
  for (const written of ['true', '"true"', 'os.environ/LATE']) {
    const never = await only(`{model: openai/x, mock_timeout: ${written}}`, '', { LATE: 'yes' })
    assert.ok((never.mockDelayMs ?? 0) > 2 ** 50, written)
  }
  assert.equal((await only('{model: openai/x, mock_timeout: "no"}')).mockDelayMs, undefined)
})

test('what is known of LiteLLM and does nothing is said to do nothing', async () => {
  const { notActedOn } = await loadText(
    'model_list:\n- model_name: g\n  litellm_params: {model: openai/x, s3_endpoint_url: u, mock_tool_calls: [], cache_read_input_token_cost: 1, aws_profile_name: p, temperature: 1}\n',
  )
  assert.deepEqual(
    notActedOn,
    ['s3_endpoint_url', 'mock_tool_calls', 'cache_read_input_token_cost'].map(
      (name) => `model_list.litellm_params.${name}`,
    ),
  )
})

describe('what is shown', () => {
  test('/health gets the allow list, rpm and tpm from wherever they stand', async () => {
    const { shown } = await only(
      '{model: azure/x, region_name: eu, rpm: 5, temperature: 1, vertex_project: p}',
      '  tpm: 9\n',
    )
    assert.deepEqual(shown, { region_name: 'eu', vertex_project: 'p', tpm: 9, rpm: 5 })
  })

  test('/model/info gets the params in file order, without keys, nulls and passwords', async () => {
    const params =
      '{model: openai/x, api_key: sk-secret, api_base: "https://u:pw@h/v1?sig=1", seed: null, organization: org-0123456789abcdef, my_token: short, extra_headers: {X: y}, aws_access_key_id: AK, aws_session_token: st-0123456789abcdef, input_cost_per_token: 0.1}'
    assert.equal(
      JSON.stringify((await only(params)).shownParams),
      '{"model":"openai/x","api_base":"https://h/v1","organization":"org-************cdef","my_token":"*****","extra_headers":{"X":"[secret]"},"aws_session_token":"st-0***********cdef","input_cost_per_token":0.1}',
    )
  })

  test('model_info is carried as it is, without the id', async () => {
    const { info, id } = await only(
      '{model: openai/x}',
      '  model_info: {id: 7, mode: chat, tier: paid, costs: [1, {a: b}], access_groups: [g], api_key: sk-x}\n',
    )
    assert.equal(id, '7')
    assert.deepEqual(info, {
      mode: 'chat',
      tier: 'paid',
      costs: [1, { a: 'b' }],
      access_groups: ['g'],
      api_key: '****',
    })
  })
})

describe('the mode', () => {
  const table: readonly (readonly [string, string, string, string])[] = [
    ['is what is written', '{model: openai/text-embedding-3-small}', 'chat', 'chat explicit'],
    ['comes from the model’s name', '{model: openai/text-embedding-3-small}', '', 'embedding name'],
    ['comes from litellm_params as a hint', '{model: openai/x, mode: rerank}', '', 'rerank name'],
    ['is chat otherwise', '{model: openai/gpt-4o}', '', 'chat default'],
    ['is chat for a wildcard', '{model: openai/*}', '', 'chat default'],
  ]
  for (const [name, params, mode, expected] of table) {
    test(name, async () => {
      const made = await only(params, mode === '' ? '' : `  model_info: {mode: ${mode}}\n`)
      assert.equal(`${made.mode} ${made.modeSource}`, expected)
    })
  }

  test('a model that is served by the Responses API only is a chat that is asked there', async () => {
    const made = await only('{model: azure/responses/o3}')
    assert.deepEqual([made.mode, made.modeSource, made.surfaceMode], ['chat', 'name', 'responses'])
    assert.equal((await only('{model: openai/responses}')).surfaceMode, undefined)
    const written = await only('{model: openai/x}', '  model_info: {mode: anthropic_messages}\n')
    assert.deepEqual([written.mode, written.surfaceMode], ['chat', 'anthropic_messages'])
  })

  test('a mode that is not probed is kept', async () => {
    const made = await only('{model: openai/x}', '  model_info: {mode: ocr}\n')
    assert.equal(made.unprobedMode, 'ocr')
    assert.equal(made.misconfigured, undefined)
  })

  test('a word that is no mode stops that deployment, and says what was meant', async () => {
    const made = await only('{model: openai/x}', '  model_info: {mode: chta}\n')
    assert.equal(
      made.misconfigured?.message,
      'model_list.0.model_info.mode: "chta" is no mode; use one of chat, completion, embedding, image_generation, audio_transcription, audio_speech, rerank, batch, realtime; did you mean "chat"?',
    )
  })
})

describe('a deployment that cannot work stays in the list and says why', () => {
  const table: readonly (readonly [string, string, string])[] = [
    ['no model', '{api_key: k}', 'model_list.0.litellm_params.model: is missing; write `<provider>/<model>`'],
    ['no params', '', 'model_list.0.litellm_params.model: is missing; write `<provider>/<model>`'],
    [
      'a model from an unset variable',
      '{model: os.environ/MODEL}',
      'model_list.0.litellm_params.model: the environment variable MODEL is not set; set it, or remove this line',
    ],
    [
      'a provider that nobody knows',
      '{model: ghost/x}',
      'model_list.0.litellm_params.model: unknown provider "ghost"',
    ],
    [
      'a token fetcher',
      '{model: openai/x, api_key: oidc/azure/aud}',
      'model_list.0.litellm_params.api_key: tokens from an OIDC provider are not supported here; use a key',
    ],
  ]
  for (const [name, params, expected] of table) {
    test(name, async () => assert.equal((await only(params)).misconfigured?.message, expected))
  }

  test('an entry without a name goes by its model', async () => {
    const { deployments } = await loadText('model_list:\n- litellm_params: {model: openai/x}\n')
    assert.equal(deployments[0]?.group, 'openai/x')
    assert.equal(
      deployments[0]?.misconfigured?.message,
      'model_list.0: model_name is missing; it is what clients ask for',
    )
  })

  test('supported_environments leaves out what belongs elsewhere', async () => {
    const text =
      'model_list:\n- model_name: m\n  litellm_params: {model: openai/x}\n  model_info: {supported_environments: [production]}\n'
    assert.deepEqual((await loadText(text, { LITELLM_ENVIRONMENT: 'development' })).deployments, [])
    assert.equal(
      (await loadText(text, { LITELLM_ENVIRONMENT: 'production' })).deployments[0]?.misconfigured,
      undefined,
    )
    assert.match(
      (await loadText(text)).deployments[0]?.misconfigured?.message ?? '',
      /LITELLM_ENVIRONMENT is not set/,
    )
  })
})

test('two entries with one id are both kept, and both are named', async () => {
  const entry = '- model_name: m\n  litellm_params: {model: openai/x}\n'
  const text = `model_list:\n${entry}${entry}`
  assert.equal((await loadText(text)).deployments.length, 2)
  const id = (await loadText(text)).deployments[0]?.id ?? ''
  assert.deepEqual(await problemsOf(text), [
    `warning config.yaml:4:3 model_list.1: "m" has the same id as model_list.0 ("m"): ${id}; both are kept, set model_info.id to tell them apart`,
  ])
})

describe('the knobs of the probe', () => {
  test('are read', async () => {
    const info =
      '  model_info: {health_check_timeout: 2.5, health_check_model: openai/gpt-4o-mini, health_check_params: {a: 1}, health_check_max_tokens: 5, health_check_max_tokens_reasoning: 6, health_check_max_tokens_non_reasoning: 7, health_check_supports_max_tokens: no, health_check_reasoning_effort: low, health_check_voice: nova, disable_background_health_check: true}\n'
    assert.deepEqual((await only('{model: openai/*}', info)).probe, {
      timeoutMs: 2500,
      model: { model: 'openai/gpt-4o-mini', provider: 'openai', upstreamModel: 'gpt-4o-mini' },
      params: { a: 1 },
      maxTokens: 5,
      maxTokensReasoning: 6,
      maxTokensNonReasoning: 7,
      supportsMaxTokens: false,
      reasoningEffort: 'low',
      voice: 'nova',
      backgroundDisabled: true,
    })
  })

  test('a timeout of 0 counts as not set, and params that are no map are ignored', async () => {
    const info = '  model_info: {health_check_timeout: 0, health_check_params: [1]}\n'
    assert.deepEqual((await only('{model: openai/x}', info)).probe, { params: {}, backgroundDisabled: false })
  })
})

describe('what checks of one deployment go by', () => {
  const probeOf = async (info: string) => (await only('{model: openai/x}', `  model_info: ${info}\n`)).probe

  test('is read', async () => {
    const expect = '{model: ^gpt-4o, dimensions: "1536", prompt: Who?, answer: (?i:bot)|42}'
    assert.deepEqual(await probeOf(`{health_check_rung: golden, health_check_expect: ${expect}}`), {
      params: {},
      backgroundDisabled: false,
      rung: 'golden',
      expect: { model: /^gpt-4o/, dimensions: 1536, golden: { prompt: 'Who?', answer: /(?i:bot)|42/ } },
    })
    for (const rung of ['free', 'minimal'] as const)
      assert.equal((await probeOf(`{health_check_rung: ${rung}}`)).rung, rung)
    assert.deepEqual(await probeOf('{health_check_rung: auto}'), { params: {}, backgroundDisabled: false })
    assert.deepEqual(await probeOf('{health_check_rung: none}'), { params: {}, backgroundDisabled: true })
  })

  const table: readonly (readonly [string, RegExp])[] = [
    ['health_check_rung: gold', /^fatal .*health_check_rung: must be auto, none, free, minimal or golden/],
    ['health_check_expect: {modle: x}', /^fatal .*health_check_expect\.modle: unknown key.*"model"/],
    ['health_check_expect: {model: "("}', /^fatal .*health_check_expect\.model: must be a pattern/],
    ['health_check_expect: {dimensions: 1.5}', /^fatal .*dimensions: must be a whole number above 0/],
    ['health_check_expect: {prompt: Who?}', /^fatal .*answer: prompt and answer must be written together/],
    ['health_check_expect: {prompt: "", answer: x}', /^fatal .*prompt: must not be empty/],
    ['health_check_expect: 1536', /^fatal .*health_check_expect: must be a map/],
  ]
  for (const [info, words] of table)
    test(`${info} stops the start, and says where it stands`, async () => {
      const text = `model_list:\n- model_name: m\n  litellm_params: {model: openai/x}\n  model_info: {${info}}\n`
      const [first = ''] = await problemsOf(text)
      assert.match(first, words)
      assert.match(first, /config\.yaml:4:/)
    })
})

test('of Google’s credentials only what is secret is hidden', async () => {
  const text = `
model_list:
- model_name: m
  litellm_params:
    model: vertex_ai/gemini-2.5-flash
    vertex_credentials:
      type: external_account
      universe_domain: googleapis.com
      token_url: https://sts.googleapis.com/v1/token
      client_secret: canary-secret
      credential_source: {url: "http://169.254.169.254/token", headers: {Authorization: canary-header}}
`
  const redact = createRedact((await loadText(text)).secrets)
  assert.equal(
    redact('external_account https://sts.googleapis.com/v1/token http://169.254.169.254/token'),
    'external_account https://sts.googleapis.com/v1/token http://169.254.169.254/token',
  )
  assert.equal(redact('canary-secret canary-header'), '[secret] [secret]')
})

test('every secret is known, wherever it stands, and none is shown', async () => {
  const text = `
model_list:
- model_name: m
  litellm_params:
    model: openai/x
    api_key: canary-api-key
    azure_ad_token: canary-azure-token
    organization: canary-organization
    api_base: https://u:canary-password@h/v1?sig=canary-query
    extra_headers: {X-One: canary-header, Accept: application/json}
    aws_secret_access_key: os.environ/PLAIN_NAME
    vertex_credentials: {private_key: canary-vertex}
    my_own_secret: canary-own
credential_list:
- credential_name: c
  credential_values: {api_key: canary-credential, api_base: https://shown.example/v1}
general_settings: {master_key: canary-master, database_url: "postgres://u:canary-database@h/db", drain_endpoint_token: canary-drain}
router_settings: {redis_password: canary-redis}
litellm_settings: {cache_params: {password: canary-cache, type: redis}, s3_callback_params: {s3_aws_secret_access_key: canary-s3}}
environment_variables: {MY_API_KEY: canary-variable}
`
  const config = await loadText(text, {
    PLAIN_NAME: 'canary-resolved',
    OPENAI_API_KEY: 'canary-process',
    HOME: '/home/someone',
  })
  const redact = createRedact(config.secrets)
  const all = [
    ...new Set([...text.matchAll(/canary-[a-z0-9-]+/g)].map(([word]) => word)),
    'canary-resolved',
    'canary-process',
  ]
  assert.equal(all.length, 18)
  for (const word of all) assert.ok(redact(`<${word}>`).includes('[secret]'), word)
  assert.equal(
    redact('https://shown.example/v1 application/json /home/someone redis'),
    'https://shown.example/v1 application/json /home/someone redis',
  )
  const { connection: _, ...visible } = config.deployments[0] ?? {}
  assert.doesNotMatch(JSON.stringify({ ...visible, bodyDefaults: {} }), /canary-/)
  assert.doesNotMatch((await problemsOf(text)).join('\n'), /canary-/)
})
