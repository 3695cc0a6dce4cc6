import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MODES } from '../core/mode.ts'
import { demoBehaviours, demoConfig } from './demo.ts'
import { parseOrder } from './order.ts'

const CONFIG = demoConfig('http://127.0.0.1:9100')

/** The values of one key, in file order. */
function values(key: string): readonly (string | undefined)[] {
  return [...CONFIG.matchAll(new RegExp(`^[ -]+${key}: (.+)$`, 'gm'))].map((match) => match[1])
}

test('the demo has fifteen deployments over all nine modes', () => {
  assert.equal(values('model_name').length, 15)
  assert.deepEqual(new Set(values('mode')), new Set(MODES))
})

test('every deployment is served by the fake', () => {
  for (const base of values('api_base'))
    assert.match(base ?? '', /^http:\/\/127\.0\.0\.1:9100(\/openai)?(\/v1)?$/)
})

test('four of its models are sick, each in its own way', () => {
  const sick = Object.entries(demoBehaviours).filter(([, word]) => !word.startsWith('slow'))
  assert.deepEqual(sick, [
    ['gpt-4o-france', 'e401'],
    ['llama-3.3-70b-versatile', 'e429r30'],
    ['mistral-large-latest', 'hang'],
    ['command-r-plus', 'shape'],
  ])
})

test('every behaviour is an order, for a model of the config', () => {
  const models = new Set(values('model').map((model) => model?.slice(model.indexOf('/') + 1)))
  for (const [model, word] of Object.entries(demoBehaviours)) {
    assert.ok(parseOrder(word), word)
    assert.ok(models.has(model), model)
  }
})

test('the hanging one is given up after three seconds', () => {
  assert.match(
    CONFIG,
    /model: mistral\/mistral-large-latest\n(?: {6}.*\n)* {4}model_info:\n {6}mode: chat\n {6}health_check_timeout: 3\n/,
  )
})

test('the master key stands in general_settings, and checks go on by themselves', () => {
  assert.match(CONFIG, /\ngeneral_settings:\n {2}master_key: sk-1234\n {2}background_health_checks: true\n$/)
})
