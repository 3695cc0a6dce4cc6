import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask, at, AUTH, keysOf, UPSTREAM_KEY, withStage, type Answer, type Stage } from './asking.ts'
import { startUpstream } from './echo-keys.ts'

const ENV = { OPENAI_API_KEY: 'sk-from-the-environment', COHERE_API_KEY: 'co-from-the-environment' }
const config = ({ url }: { readonly url: string }): string => `model_list:
  - model_name: chat
    litellm_params:
      model: openai/gpt-4o
      api_base: ${url}/ok/v1
      api_key: ${UPSTREAM_KEY}
      temperature: 0.5
      extra_headers: { x-team-secret: team-secret-1 }
      extra_body: { tenant_token: tenant-token-1 }
    model_info: { id: eu/1, mode: chat }
  - model_name: vectors
    litellm_params: { model: openai/embed, api_base: '${url}/ok/v1', litellm_credential_name: shared }
    model_info: { id: vec, mode: embedding }
credential_list:
  - credential_name: shared
    credential_values: { api_key: shared-key-1 }
general_settings: { master_key: sk-1234, drain_delay: 0, allow_client_side_credentials: true }
`
const SECRETS = [
  UPSTREAM_KEY,
  'team-secret-1',
  'tenant-token-1',
  'shared-key-1',
  'sk-1234',
  ...Object.values(ENV),
]

const send = (
  { gateway }: Pick<Stage, 'gateway'>,
  body: object | string,
  headers: object = AUTH,
): Promise<Answer> =>
  ask(`${gateway.url}/health/test_connection`, { method: 'POST', headers: { ...headers }, body })

const stage = (use: (stage: Stage) => Promise<void>): Promise<void> => withStage(config, use, { env: ENV })

describe('POST /health/test_connection', () => {
  test('answers 200 for both outcomes, in the form that LiteLLM does', async () => {
    await stage(async (here) => {
      const params = { model: 'openai/gpt-x', api_key: 'sk-mine-1234' }
      const good = await send(here, { litellm_params: { ...params, api_base: `${here.fake.url}/ok/v1` } })
      assert.equal(good.status, 200, good.text)
      assert.deepEqual(keysOf(good.json), ['status', 'result'])
      assert.equal(at(good.json, 'status'), 'success')
      assert.equal(at(good.json, 'result', 'model'), 'openai/gpt-x')
      assert.equal(at(good.json, 'result', 'x-ratelimit-remaining-requests'), '9')
      const [sent] = here.fake.journal()
      assert.equal(at(sent?.body, 'model'), 'gpt-x')
      const bad = await send(here, { litellm_params: { ...params, api_base: `${here.fake.url}/e401/v1` } })
      assert.deepEqual([bad.status, at(bad.json, 'status')], [200, 'error'], bad.text)
      assert.match(String(at(bad.json, 'result', 'error')), /answered 401/)
      assert.ok(at(bad.json, 'result', 'raw_request_typed_dict', 'raw_request_api_base'))
      for (const name of ['model_id', 'health_state', 'model_name'])
        assert.equal(at(bad.json, 'result', name), undefined)
      assert.ok(!bad.text.includes('sk-mine-1234'))
    })
  })

  test('a description without a connection tests the configured deployment, with what it changes', async () => {
    await stage(async (here) => {
      for (const body of [
        { litellm_params: {}, model_info: { id: 'eu/1' } },
        { litellm_params: { model: 'chat', max_tokens: 5 } },
        { litellm_params: { model: 'openai/gpt-4o' } },
      ]) {
        const answer = await send(here, body)
        assert.equal(at(answer.json, 'status'), 'success', answer.text)
      }
      for (const { headers, body } of here.fake.journal()) {
        assert.equal(headers['authorization'], `Bearer ${UPSTREAM_KEY}`)
        assert.equal(at(body, 'temperature'), 0.5)
      }
      const other = await send(here, {
        litellm_params: { model: 'openai/newer' },
        model_info: { id: 'eu/1' },
      })
      assert.equal(at(other.json, 'status'), 'success', other.text)
      assert.equal(at(here.fake.journal().at(-1)?.body, 'model'), 'newer')
      const vectors = await send(here, { litellm_params: {}, model_info: { id: 'vec' } })
      assert.equal(at(vectors.json, 'status'), 'success', vectors.text)
    })
  })

  test('whatever the description says of a connection, no key, header or field of anybody else travels with it', async () => {
    const upstream = await startUpstream()
    try {
      await stage(async (here) => {
        const own = [
          { api_base: upstream.url },
          { base_url: upstream.url },
          { api_base: upstream.url, api_key: 'sk-mine-1234' },
          { api_base: upstream.url, api_key: 'sk-mine-1234', extra_headers: { 'x-mine': '1' } },
          { api_base: upstream.url, organization: 'org-mine', api_key: 'sk-mine-1234' },
          { api_base: upstream.url, custom_llm_provider: 'hosted_vllm' },
          { api_bas: upstream.url },
          { model: `hosted_vllm/gpt-4o`, api_base: upstream.url },
        ]
        for (const params of own)
          for (const body of [
            { litellm_params: { model: 'openai/gpt-4o', ...params }, model_info: { id: 'eu/1' } },
            { litellm_params: { model: 'chat', ...params } },
            { litellm_params: params, model_info: { id: 'eu/1' } },
          ]) {
            const answer = await send(here, body)
            assert.ok(answer.status === 200 || answer.status === 400, answer.text)
            for (const secret of SECRETS)
              assert.ok(!answer.text.includes(secret), `${secret}: ${answer.text}`)
          }
        assert.ok(upstream.seen().length >= 6)
        const seen = upstream.seen().join('\n')
        for (const secret of SECRETS) assert.ok(!seen.includes(secret), secret)
      })
    } finally {
      upstream.stop()
    }
  })

  test('another provider gets nothing of a configured one, and nothing of the environment', async () => {
    await stage(async (here) => {
      for (const params of [{ model: 'cohere/command-r' }, { model: 'openai/unlisted-model' }]) {
        const answer = await send(here, { litellm_params: params, model_info: { id: 'nobody' } })
        assert.equal(at(answer.json, 'status'), 'error', answer.text)
        assert.match(String(at(answer.json, 'result', 'error')), /api_key|key/)
        assert.equal(at(answer.json, 'result', 'raw_request_typed_dict'), null)
      }
      const cohere = await send(here, { litellm_params: { model: 'cohere/x' }, model_info: { id: 'eu/1' } })
      assert.equal(at(cohere.json, 'status'), 'error')
      assert.equal(here.fake.journal().length, 0)
    })
  })

  test('variables, files, credentials of the config and link-local addresses are refused before anything is sent', async () => {
    await stage(async (here) => {
      const base = { model: 'openai/gpt-4o', api_key: 'sk-mine-1234' }
      const cloud = { model: 'bedrock/amazon.nova-pro-v1:0', aws_role_name: 'arn:aws:iam::1:role/r' }
      for (const [body, status, words] of [
        [
          { litellm_params: { ...base, api_key: 'os.environ/OPENAI_API_KEY' } },
          400,
          /^Environment variable ref/,
        ],
        [
          { litellm_params: { ...base, extra_body: { a: ['os.environ/X'] } } },
          400,
          /^Environment variable ref/,
        ],
        [{ litellm_params: base, model_info: { note: 'os.environ/X' } }, 400, /^Environment variable ref/],
        [{ litellm_params: { ...base, ssl_verify: '/etc/passwd' } }, 400, /ssl_verify/],
        [
          { litellm_params: { ...base, azure_ad_token: 'oidc/file//etc/passwd' } },
          400,
          /azure_ad_token.*no files/,
        ],
        [{ litellm_params: { ...cloud, aws_web_identity_token: '/etc/passwd' } }, 400, /no files/],
        [{ litellm_params: { ...cloud, aws_web_identity_token: 'oidc/env/HOME' } }, 400, /no files/],
        [{ litellm_params: { ...cloud, aws_sts_endpoint: 'http://169.254.169.254' } }, 400, /link-local/],
        [{ litellm_params: { model: 'vertex_ai/m', vertex_credentials: '/etc/passwd' } }, 400, /no files/],
        [
          {
            litellm_params: {
              model: 'vertex_ai/m',
              vertex_credentials: { credential_source: { file: '/x' } },
            },
          },
          400,
          /no files/,
        ],
        [
          {
            litellm_params: {
              model: 'vertex_ai/m',
              vertex_credentials: { token_uri: 'http://169.254.1.1/' },
            },
          },
          400,
          /link-local/,
        ],
        [{ litellm_params: { ...base, litellm_credential_name: 'shared' } }, 400, /litellm_credential_name/],
        [{ litellm_params: { ...base, api_base: 'http://169.254.169.254/latest' } }, 400, /link-local/],
        [{ litellm_params: { ...base, api_base: 'http://2852039166/v1' } }, 400, /link-local/],
        [{ litellm_params: {} }, 400, /model is missing/],
        [{ litellm_params: 'x' }, 422, /litellm_params: must be an object/],
        [{}, 422, /litellm_params/],
        [{ litellm_params: base, mode: 'telepathy' }, 422, /mode/],
        ['{"litellm_params":', 400, /JSON/],
      ] as const) {
        const answer = await send(here, body)
        assert.equal(answer.status, status, `${JSON.stringify(body)} ${answer.text}`)
        assert.match(String(at(answer.json, 'detail', 'error')), words)
      }
      assert.equal(here.fake.journal().length, 0)
    })
  })

  test('whoever brings nobody to be is not lent the identity of this machine', async () => {
    await stage(async (here) => {
      for (const [params, words] of [
        [{ model: 'vertex_ai/m', vertex_project: 'p' }, /no credentials for Google/],
        [{ model: 'bedrock/amazon.nova-pro-v1:0' }, /no AWS credentials/],
      ] as const) {
        const answer = await send(here, { litellm_params: { ...params, api_base: here.fake.url } })
        assert.match(String(at(answer.json, 'result', 'error')), words)
      }
      assert.equal(here.fake.journal().length, 0)
    })
  })

  test('the mode decides what is asked, and one that cannot be probed says so', async () => {
    await stage(async (here) => {
      const params = { model: 'openai/m', api_key: 'sk-mine-1234', api_base: `${here.fake.url}/ok/v1` }
      await send(here, { litellm_params: params, mode: 'embedding' })
      assert.match(here.fake.journal()[0]?.url ?? '', /embeddings$/)
      const ocr = await send(here, { litellm_params: params, mode: 'ocr' })
      assert.match(String(at(ocr.json, 'result', 'error')), /mode ocr is not probed/)
      assert.equal(here.fake.journal().length, 1)
    })
  })

  test('is for the master key alone, and for nobody where there is none', async () => {
    await stage(async (here) => {
      assert.equal((await send(here, { litellm_params: {} }, {})).status, 401)
    })
    await withStage('model_list: []\ngeneral_settings: {drain_delay: 0}\n', async (here) => {
      const answer = await send(here, { litellm_params: { model: 'openai/x', api_base: here.fake.url } })
      assert.equal(answer.status, 403)
      assert.match(String(at(answer.json, 'detail', 'error')), /master key/)
    })
  })
})
