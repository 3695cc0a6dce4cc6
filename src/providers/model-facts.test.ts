import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment } from '../core/deployment.ts'
import { createModelBook } from './model-facts.ts'

let made = 0
function deployment(provider: string, upstreamModel: string, facts?: Deployment['facts']): Deployment {
  return {
    index: made++,
    id: 'i',
    group: 'g',
    model: `${provider}/${upstreamModel}`,
    provider,
    upstreamModel,
    mode: 'chat',
    modeSource: 'default',
    connection: { headers: {} },
    bodyDefaults: {},
    timeouts: {},
    ...(facts && { facts }),
    probe: { params: {}, backgroundDisabled: false },
    shown: {},
    clientConnectionFields: [],
    shownParams: {},
    info: {},
  }
}

test('without the catalogue only what is written is known, and the rest is as dear as LiteLLM has it', () => {
  const book = createModelBook()
  const written = { maxInputTokens: 9, inputCost: 1, outputCost: 2 }
  assert.deepEqual(known(book, deployment('openai', 'gpt-4o', written)), [9, 3])
  assert.deepEqual(known(book, deployment('openai', 'gpt-4o', { inputCost: 1 })), [undefined, 6])
  assert.deepEqual(known(book, deployment('openai', 'gpt-4o')), [undefined, 10])
})

test('the catalogue knows models by provider, by base_model and by their last name; what is written wins', async () => {
  const book = createModelBook()
  await book.load()
  const gpt4o = [128_000, 12.5e-6]
  assert.deepEqual(known(book, deployment('openai', 'gpt-4o')), gpt4o)
  assert.deepEqual(known(book, deployment('azure', 'mine', { baseModel: 'azure/gpt-4o' })), gpt4o)
  assert.deepEqual(known(book, deployment('openrouter', 'openai/gpt-4o')), gpt4o)
  assert.deepEqual(
    known(book, deployment('openai', 'gpt-4o', { maxInputTokens: 5, inputCost: 0 })),
    [5, 10e-6],
  )
  assert.deepEqual(known(book, deployment('openai', 'nobody-knows')), [undefined, 10])
})

function known(book: ReturnType<typeof createModelBook>, of: Deployment): readonly (number | undefined)[] {
  return [book.maxInputTokens(of), Number(book.price(of).toPrecision(6))]
}
