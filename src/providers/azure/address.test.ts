import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpMode } from '../../core/mode.ts'
import type { Target } from '../adapter.ts'
import {
  azureObjectsUrl,
  azureRealtimeCallsUrl,
  azureRealtimeKeyUrl,
  azureRealtimeUrl,
  azureUrl,
  namesDeployment,
} from './address.ts'

function target(base: string, apiVersion?: string, model = 'dep'): Target {
  return {
    provider: 'azure',
    model,
    base,
    bodyDefaults: {},
    ...(apiVersion === undefined ? {} : { apiVersion }),
  }
}

const BASE = 'https://my.openai.azure.com'
/** Half of a surrogate pair, as a client's JSON may hold it. */
const HALF = '\ud800'
const DATED = '2023-07-01-preview'

const TABLE: readonly (readonly [HttpMode, Target, string])[] = [
  [
    'chat',
    target(BASE, DATED),
    `${BASE}/openai/deployments/dep/chat/completions?api-version=2023-07-01-preview`,
  ],
  ['chat', target(BASE), `${BASE}/openai/deployments/dep/chat/completions?api-version=2024-10-21`],
  [
    'completion',
    target(BASE, DATED),
    `${BASE}/openai/deployments/dep/completions?api-version=2023-07-01-preview`,
  ],
  [
    'embedding',
    target(BASE, DATED),
    `${BASE}/openai/deployments/dep/embeddings?api-version=2023-07-01-preview`,
  ],
  [
    'image_generation',
    target(BASE, DATED),
    `${BASE}/openai/deployments/dep/images/generations?api-version=2023-07-01-preview`,
  ],
  [
    'audio_transcription',
    target(BASE, DATED),
    `${BASE}/openai/deployments/dep/audio/transcriptions?api-version=2023-07-01-preview`,
  ],
  [
    'audio_speech',
    target(BASE, DATED),
    `${BASE}/openai/deployments/dep/audio/speech?api-version=2023-07-01-preview`,
  ],
  ['batch', target(BASE), `${BASE}/openai/batches?api-version=2024-10-21`],
  [
    'batch',
    target(`${BASE}/openai/deployments/dep`, DATED),
    `${BASE}/openai/batches?api-version=2023-07-01-preview`,
  ],
  ['chat', target(BASE, 'v1'), `${BASE}/openai/v1/chat/completions`],
  ['chat', target(BASE, 'latest'), `${BASE}/openai/v1/chat/completions`],
  ['batch', target(BASE, 'preview'), `${BASE}/openai/v1/batches?api-version=preview`],
  ['chat', target(`${BASE}/openai/v1`), `${BASE}/openai/v1/chat/completions`],
  ['chat', target(`${BASE}/openai/v1/chat/completions`), `${BASE}/openai/v1/chat/completions`],
  [
    'chat',
    target(`${BASE}/openai`, DATED),
    `${BASE}/openai/deployments/dep/chat/completions?api-version=2023-07-01-preview`,
  ],
  [
    'chat',
    target(`${BASE}/openai/deployments/mine`, DATED),
    `${BASE}/openai/deployments/mine/chat/completions?api-version=2023-07-01-preview`,
  ],
  [
    'chat',
    target(`${BASE}/openai/deployments/mine/chat/completions`, DATED),
    `${BASE}/openai/deployments/mine/chat/completions?api-version=2023-07-01-preview`,
  ],
  [
    'chat',
    target('http://127.0.0.1:9100/ok', DATED),
    'http://127.0.0.1:9100/ok/openai/deployments/dep/chat/completions?api-version=2023-07-01-preview',
  ],
  [
    'chat',
    target(BASE, DATED, 'my dep'),
    `${BASE}/openai/deployments/my%20dep/chat/completions?api-version=2023-07-01-preview`,
  ],
  [
    'chat',
    target(BASE, DATED, 'o_series/o3'),
    `${BASE}/openai/deployments/o3/chat/completions?api-version=2023-07-01-preview`,
  ],
]

for (const [mode, at, url] of TABLE) {
  test(`${mode} of ${at.model} at ${at.base} ${at.apiVersion ?? 'without a version'}`, () =>
    assert.equal(azureUrl(at, mode), url))
}

const REALTIME: readonly (readonly [Target, string])[] = [
  [target(BASE), `${BASE}/openai/realtime?api-version=2024-10-01-preview&deployment=dep`],
  [target(BASE, DATED), `${BASE}/openai/realtime?api-version=2023-07-01-preview&deployment=dep`],
  [target(BASE, 'v1'), `${BASE}/openai/v1/realtime?model=dep`],
]

for (const [at, url] of REALTIME) {
  test(`realtime at ${at.base} ${at.apiVersion ?? 'without a version'}`, () =>
    assert.equal(azureRealtimeUrl(at), url))
}

test('a model without a name is no deployment, unless the base names one', () => {
  assert.equal(namesDeployment(target('https://a.test', undefined, '')), false)
  assert.equal(namesDeployment(target('https://a.test/openai/deployments/gpt', undefined, '')), true)
  assert.equal(namesDeployment(target('https://a.test')), true)
})

test('files and batches are kept by the resource, whatever the base was pasted with', () => {
  const dated = `${BASE}/openai/files/f?api-version=2024-10-21`
  for (const base of [BASE, `${BASE}/openai`, `${BASE}/openai/deployments/dep`])
    assert.equal(azureObjectsUrl(target(base), '/files/f'), dated)
  assert.equal(azureObjectsUrl(target(BASE, 'v1'), '/batches'), `${BASE}/openai/v1/batches`)
  assert.equal(azureObjectsUrl(target(`${BASE}/openai/v1`), '/batches'), `${BASE}/openai/v1/batches`)
  const preview = `${BASE}/openai/v1/batches?api-version=preview`
  assert.equal(azureObjectsUrl(target(BASE, 'preview'), '/batches'), preview)
})

test('keys for browsers have a path of their own in the dated versions', () => {
  const sessions = `${BASE}/openai/realtimeapi/sessions?api-version=`
  assert.equal(azureRealtimeKeyUrl(target(BASE), 'sessions'), `${sessions}2025-04-01-preview`)
  assert.equal(azureRealtimeKeyUrl(target(BASE, DATED), 'sessions'), sessions + DATED)
  assert.equal(azureRealtimeKeyUrl(target(BASE, 'v1'), 'sessions'), `${BASE}/openai/v1/realtime/sessions`)
  const secrets = `${BASE}/openai/v1/realtime/client_secrets`
  assert.equal(azureRealtimeKeyUrl(target(BASE, DATED), 'client_secrets'), secrets)
})

test('half a character in a model’s name stands in a URL as the sign for what cannot be read', () => {
  const url = azureUrl(target(BASE, DATED, `a${HALF}`), 'chat')
  assert.match(url, /\/deployments\/a%EF%BF%BD\/chat/)
  assert.match(azureRealtimeUrl(target(BASE, DATED, HALF)), /deployment=%EF%BF%BD$/)
})

test('calls over WebRTC are of the v1 surface alone', () => {
  const url = 'https://r.openai.azure.com/openai/v1/realtime/calls'
  assert.equal(azureRealtimeCallsUrl(target('https://r.openai.azure.com', 'v1')), url)
  assert.equal(azureRealtimeCallsUrl(target('https://r.openai.azure.com/openai/v1')), url)
  assert.equal(azureRealtimeCallsUrl(target('https://r.openai.azure.com', '2025-04-01-preview')), undefined)
  assert.equal(azureRealtimeCallsUrl(target('https://r.openai.azure.com')), undefined)
})
