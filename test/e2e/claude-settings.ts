import assert from 'node:assert/strict'
import type { Anthropic } from '@anthropic-ai/sdk'
import { ask, at, AUTH, type Stage } from './asking.ts'

export const SONNET = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0'
export const PROFILE = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3'

/** What is in beta and known to all doubles. */
export const BETAS = ['context-management-2025-06-27', 'interleaved-thinking-2025-05-14'] as const
/** What an operator settles. */
export const SETTLED = {
  max_tokens: 4_000,
  temperature: 0.5,
  stop: 'END',
  reasoning_effort: 'low',
  system: 'Be brief.',
  extra_body: { metadata: { user_id: 'operator' } },
} as const
export const PING: Anthropic.MessageParam[] = [{ role: 'user', content: 'ping' }]

/** One program, and what is tried with it. */
export interface Trial extends Stage {
  readonly client: Anthropic
  /** What was asked of providers since the last look, without what fetched tokens. */
  readonly asked: () => readonly {
    readonly path: string
    readonly body: unknown
    readonly headers: unknown
  }[]
}

/** What a deployment’s own settings do to requests for Claude; their deployments are in the config of who runs them. */
export const SETTING_TRIALS: readonly (readonly [name: string, run: (trial: Trial) => Promise<void>])[] = [
  [
    'what a deployment settles is said where the client says nothing, at each that is asked in Anthropic’s words',
    async ({ gateway, client, asked }) => {
      const unbound = { model: 'bare', messages: PING }
      const refused = await ask(`${gateway.url}/v1/messages`, { headers: AUTH, body: unbound })
      assert.equal(refused.status, 400)
      assert.match(refused.text, /Missing required parameter: 'max_tokens'/)
      const system = [{ type: 'text', text: 'Be brief.' }]
      const settled = { stop_sequences: ['END'], metadata: { user_id: 'operator' }, system }
      for (const name of ['bedrock', 'vertex', 'azure', 'anthropic']) {
        const sent = async (words: object): Promise<unknown> => {
          const body = { model: `settled-${name}`, messages: PING, ...words }
          const answer = await ask(`${gateway.url}/v1/messages`, { headers: AUTH, body })
          assert.equal(answer.status, 200, `${name} ${answer.text}`)
          assert.equal(answer.headers.get('x-pulsegate-dropped-params'), null)
          const [{ body: told, path } = { body: {}, path: '' }] = asked()
          assert.match(path, /\/invoke$|:rawPredict$|\/v1\/messages$/)
          const { messages: _, model: __, anthropic_version: ___, ...rest } = Object(told)
          return rest
        }
        assert.deepEqual(
          await sent({ temperature: 0 }),
          { ...settled, max_tokens: 4_000, temperature: 0 },
          name,
        )
        const thinking = { type: 'enabled', budget_tokens: 1_024 }
        assert.deepEqual(await sent({}), { ...settled, max_tokens: 4_000, thinking }, name)
        assert.deepEqual(
          await sent({ max_tokens: 2_000, thinking, system: 'Be long.', stop_sequences: [], metadata: {} }),
          { max_tokens: 2_000, thinking, system: 'Be long.', stop_sequences: [], metadata: {} },
          name,
        )
        const stream = client.messages.stream({ model: `settled-${name}`, max_tokens: 50, messages: PING })
        assert.deepEqual((await stream.finalMessage()).content, [{ type: 'text', text: 'pong' }])
        assert.deepEqual(at(asked()[0]?.body, 'system'), system)
        const count = { model: `settled-${name}`, messages: PING }
        await client.messages.countTokens(count)
        const counted = asked()[0]?.body
        if (name === 'anthropic' || name === 'vertex') assert.deepEqual(at(counted, 'system'), system)
      }
    },
  ],
  [
    'what a deployment asks for in beta and what its client does are asked for together, in chats too',
    async ({ gateway, asked }) => {
      const places = {
        bedrock: [/\/invoke$/, /\/converse$/],
        converse: [/\/converse$/, /\/converse$/],
        invoke: [/\/invoke$/, /\/invoke$/],
        vertex: [/:rawPredict$/, /:rawPredict$/],
        azure: [/\/anthropic\/v1\/messages$/, /\/anthropic\/v1\/messages$/],
        anthropic: [/\/v1\/messages$/, /\/v1\/messages$/],
      } as const
      for (const [name, [messages, chat]] of Object.entries(places))
        for (const [route, path] of [
          ['/v1/messages', messages],
          ['/v1/chat/completions', chat],
        ] as const)
          for (const [header, member] of [
            [undefined, undefined],
            [`${BETAS[1]}, ${BETAS[0]}`, undefined],
            [undefined, [BETAS[1]]],
            [BETAS[0], [BETAS[1]]],
          ] as const) {
            const headers = { ...AUTH, ...(header !== undefined && { 'anthropic-beta': header }) }
            const beta = member === undefined ? {} : { anthropic_beta: member }
            const body = { model: `beta-${name}`, max_tokens: 50, messages: PING, ...beta }
            const { status, text } = await ask(gateway.url + route, { headers, body })
            assert.equal(status, 200, `${name} ${route} ${text}`)
            const [sent] = asked()
            assert.match(sent?.path ?? '', path)
            const more = at(sent?.body, 'additionalModelRequestFields', 'anthropic_beta')
            const inBody = at(sent?.body, 'anthropic_beta') ?? more
            const inHeader = at(sent?.headers, 'anthropic-beta')
            // A translated request of another API says no more of what is in beta than the deployment does.
            const isLost = name === 'converse' && route === '/v1/messages' && member === undefined
            const all = (header ?? member) === undefined || isLost ? [BETAS[0]] : BETAS
            const isHeader = ['vertex', 'azure', 'anthropic'].includes(name)
            assert.deepEqual(
              [inHeader, inBody],
              isHeader ? [all.join(','), undefined] : [undefined, all],
              `${name} ${route} ${header} ${member?.[0]}`,
            )
          }
      const body = { model: 'openai', messages: PING }
      await ask(`${gateway.url}/v1/chat/completions`, {
        headers: { ...AUTH, 'anthropic-beta': BETAS[0] },
        body,
      })
      const last = asked().at(-1)
      assert.match(last?.path ?? '', /\/chat\/completions$/)
      assert.equal(at(last?.headers, 'anthropic-beta') ?? at(last?.body, 'anthropic_beta'), undefined)
    },
  ],
  [
    'every form of a model’s name leads behind a wildcard where it leads without one',
    async ({ gateway, client, asked }) => {
      const byConverse = /\/model\/us\.anthropic[^/]*\/converse$/
      const byInvoke = /\/model\/us\.anthropic[^/]*\/invoke$/
      const forms: readonly (readonly [model: string, messages: RegExp, chat?: RegExp])[] = [
        [`bedrock/${SONNET}`, byInvoke, byConverse],
        [`bedrock/converse/${SONNET}`, byConverse],
        [`bedrock/invoke/${SONNET}`, byInvoke],
        [`bedrock/us-east-1/${SONNET}`, byInvoke, byConverse],
        [`bedrock/anthropic/${PROFILE}`, /%2Fa1b2c3\/invoke$/, /%2Fa1b2c3\/converse$/],
        ['azure_ai/claude-sonnet-4-5', /\/anthropic\/v1\/messages$/],
      ]
      for (const [model, messages, chat = messages] of forms) {
        const message = await client.messages.create({ model, max_tokens: 50, messages: PING })
        assert.deepEqual(message.content, [{ type: 'text', text: 'pong' }], model)
        assert.match(asked()[0]?.path ?? '', messages)
        const body = { model, messages: PING }
        const answer = await ask(`${gateway.url}/v1/chat/completions`, { headers: AUTH, body })
        assert.equal(at(answer.json, 'choices', 0, 'message', 'content'), 'pong', answer.text)
        assert.match(asked()[0]?.path ?? '', chat)
      }
      const body = { model: 'bedrock/agent/x', messages: PING }
      const refused = await ask(`${gateway.url}/v1/chat/completions`, { headers: AUTH, body })
      assert.equal(refused.status, 400, refused.text)
      assert.match(refused.text, /bedrock\/agent\/ is a service of AWS that is not supported/)
    },
  ],
]
