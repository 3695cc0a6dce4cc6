import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scanObject } from '../../core/json-spans.ts'
import type { Deployment } from '../../core/deployment.ts'
import { openLine } from '../../providers/call.ts'
import type { Line } from '../../providers/call.ts'
import { aDeployment } from '../deployment.fixture.ts'
import { fitted, readFieldRules } from './field-rules.ts'

function lineOf(more: Partial<Deployment>, dropParams = false): Line {
  const never = (): never => assert.fail('nothing goes out here')
  const transport = { send: never, stream: never, dial: never, openSocket: never, reach: never, close: never }
  const env = { OPENAI_API_KEY: 'sk', GROQ_API_KEY: 'sk', COHERE_API_KEY: 'sk' }
  const opened = openLine(aDeployment(0, more), { transport, env, redact: (text) => text, dropParams })
  assert.ok('line' in opened)
  return opened.line
}

/** What of this body goes out, and what is said to have been left out. */
function sent(line: Line, body: object): readonly [unknown, readonly string[]] {
  const bytes = Buffer.from(JSON.stringify(body))
  const spans = scanObject(bytes)
  const asked = readFieldRules(bytes, spans, Object.keys(body))
  const fit = fitted(bytes, spans, line, 'chat', asked)
  assert.deepEqual(scanObject(fit.body), fit.spans)
  return [JSON.parse(fit.body.toString()), fit.dropped]
}

const TOOLS = [{ function: { name: 'f', strict: true } }, { function: { name: 'g', strict: true } }, 3]
const TAME = [{ function: { name: 'f' } }, { function: { name: 'g' } }, 3]

test('named members are left out, and what paths lead to', () => {
  const line = lineOf({ fieldRules: { drop: ['seed', 'tools[*].function.strict', 'no.such'], keep: [] } })
  assert.deepEqual(sent(line, { model: 'm', seed: 1, tools: TOOLS, no: 1 }), [
    { model: 'm', tools: TAME, no: 1 },
    ['seed', 'tools'],
  ])
  const paths = lineOf({ fieldRules: { drop: ['tools[1]', 'tools[0].function', 'a.b'], keep: [] } })
  assert.deepEqual(sent(paths, { tools: TOOLS, a: { b: { c: 1 }, d: 2 } })[0], {
    tools: [{}, 3],
    a: { d: 2 },
  })
})

test('a request adds its own, but cannot leave out what makes it a request', () => {
  const body = { model: 'm', messages: [], user: 'u', additional_drop_params: ['user', 'model', 'messages'] }
  const [out] = sent(lineOf({}), body)
  assert.deepEqual(out, { model: 'm', messages: [], additional_drop_params: body.additional_drop_params })
})

test('where nothing is to be left out the very same bytes go on', () => {
  const body = Buffer.from('{"temperature":1}')
  const spans = scanObject(body)
  const line = lineOf({ upstreamModel: 'o3-mini' })
  assert.equal(fitted(body, spans, line, 'chat', undefined).body, body)
})

test('drop_params leaves out what the provider is known to refuse, wherever it is written', () => {
  const body = { temperature: 1, logprobs: true, n: 2, seed: 3 }
  const cases: readonly (readonly [Partial<Deployment>, boolean, object, object])[] = [
    [{ upstreamModel: 'o3-mini' }, true, {}, { n: 2, seed: 3 }],
    [{ upstreamModel: 'gpt-4o' }, true, {}, body],
    [{ provider: 'groq' }, true, {}, { temperature: 1, seed: 3 }],
    [{ provider: 'groq', fieldRules: { dropParams: false, drop: [], keep: [] } }, true, {}, body],
    [
      { provider: 'groq', fieldRules: { dropParams: true, drop: [], keep: ['n'] } },
      false,
      {},
      { temperature: 1, n: 2, seed: 3 },
    ],
    [{ provider: 'groq' }, false, { drop_params: true }, { temperature: 1, seed: 3 }],
    [{ provider: 'groq' }, true, { drop_params: false }, body],
    [{ provider: 'groq' }, true, { allowed_openai_params: ['n', 'logprobs'] }, body],
    [{ upstreamModel: 'mine', facts: { baseModel: 'gpt-5' } }, true, {}, { n: 2, seed: 3 }],
  ]
  for (const [more, dropParams, asked, expected] of cases) {
    const [out] = sent(lineOf(more, dropParams), { ...body, ...asked })
    assert.deepEqual(out, { ...expected, ...asked }, JSON.stringify([more, asked]))
  }
})

test('the deployment’s own defaults are no way around it', () => {
  const bodyDefaults = { temperature: 0, seed: 1, top_k: 2 }
  const rules = { fieldRules: { dropParams: true, drop: ['seed'], keep: [] } }
  const { target } = lineOf({ upstreamModel: 'o3', bodyDefaults, ...rules })
  assert.deepEqual(target.bodyDefaults, { top_k: 2 })
})

test('members that are named as every object’s own are members like any other', () => {
  for (const name of ['constructor', '__proto__', 'toString']) {
    const body: unknown = JSON.parse(`{"${name}":{"x":1,"y":2},"additional_drop_params":["${name}.x"]}`)
    assert.ok(typeof body === 'object' && body !== null)
    const [out, dropped] = sent(lineOf({}), body)
    assert.equal(JSON.stringify(out), `{"${name}":{"y":2},"additional_drop_params":["${name}.x"]}`)
    assert.deepEqual(dropped, [name])
  }
})

test('a client’s paths cost no more than a look: longer ones than anybody means are not followed', () => {
  const within = `a${'[1]'.repeat(85)}`
  const bytes = Buffer.from(JSON.stringify({ a: [], additional_drop_params: [within, `${within}.b`] }))
  const rules = readFieldRules(bytes, scanObject(bytes), ['additional_drop_params'])
  assert.deepEqual(rules?.drop, [within])
})
