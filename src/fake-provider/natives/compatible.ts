import type { Json, JsonObject } from '../../core/json.ts'
import { isJsonObject } from '../../core/json.ts'
import { answer, answerReply } from '../answer.ts'
import type { Call } from '../call.ts'
import { refusal } from '../refusal.ts'
import { jsonReply, openaiError } from '../reply.ts'
import type { Reply } from '../reply.ts'
import { matchRoute } from '../routes.ts'
import type { CompatibleLaw } from './compatible-law.ts'
import type { Native, NativeCall } from './native.ts'

/** An OpenAI-compatible provider as strict as its law: it serves what its documentation names, below its own base. */
export function compatibleNative(law: CompatibleLaw): Native {
  const root = new URL(law.base).pathname.replace(/\/$/, '')
  return {
    id: law.id,
    answer: (call) => {
      if (!call.path.startsWith(`${root}/`)) return say(law, 404, `no such path: ${call.path}`)
      return served(law, call, call.path.slice(root.length))
    },
    error: (status, message, headers) => {
      const reply = say(law, status, message)
      return { ...reply, headers: { ...reply.headers, ...headers } }
    },
  }
}

function served(law: CompatibleLaw, native: NativeCall, path: string): Reply {
  if (path === law.keyPage)
    return denied(law, native) ?? jsonReply(200, { data: { label: 'a key', usage: 0 } })
  const call = toCall(native, openAiPath(law, path))
  const { operation } = call.route
  if (!isServed(law, path, call)) return say(law, 404, `no such path: ${path}`)
  const isOpen = operation === 'models' && law.models === 'public'
  const refused =
    (isOpen ? undefined : denied(law, native)) ??
    refusedField(law, call) ??
    refusal(call, { strict: true, judgesModels: false })
  if (refused !== undefined) return refused
  if (operation === 'models' && law.models === 'array') return array([{ id: 'the-model', object: 'model' }])
  const given = answer(call, ['the-model'])
  if (given === undefined) return say(law, 404, `no such path: ${path}`)
  return dressed(law, call, answerReply(given))
}

/** Where OpenAI has what this provider has at another path; a path of OpenAI's that has moved away is nobody's. */
function openAiPath({ tails = {} }: CompatibleLaw, path: string): string {
  const moved = Object.entries(tails).find(([, tail]) => tail === path)
  if (moved?.[0] === 'completion') return '/completions'
  return moved?.[0] === 'batches' ? '/batches' : path
}

function isServed({ serves, chats, models, tails = {} }: CompatibleLaw, path: string, call: Call): boolean {
  const { operation } = call.route
  if (operation === 'unknown' || operation === 'realtime') return false
  if (tails[operation] !== undefined && tails[operation] !== path) return false
  if (operation === 'models') return models !== 'none'
  if (operation === 'chat') return chats !== false
  return serves === undefined || serves.includes(operation)
}

function denied(law: CompatibleLaw, { headers, keys }: NativeCall): Reply | undefined {
  if (law.isKeyless === true) return undefined
  const { name, prefix } = law.header ?? { name: 'authorization', prefix: 'Bearer ' }
  const value = headers[name]
  if (value === undefined) return say(law, 401, 'no API key was sent')
  const key = String(value)
  const isGood = key.startsWith(prefix) && key.length > prefix.length
  const isKnown = keys === undefined || keys.has(key.slice(prefix.length))
  return isGood && isKnown ? undefined : say(law, 401, 'the API key is not valid')
}

function refusedField(law: CompatibleLaw, { json = {}, model, route }: Call): Reply | undefined {
  if (route.operation !== 'chat') return undefined
  const ofModel = (law.refuses ?? []).filter(({ of }) => of === undefined || of.test(model))
  const field = ofModel.flatMap(({ fields }) => fields).find((name) => json[name] !== undefined)
  if (field !== undefined) return say(law, 400, `'${field}' is not supported`)
  if (law.budget !== undefined && json['max_completion_tokens'] !== undefined)
    return say(law, 400, "'max_completion_tokens' is not supported")
  if (law.modelNames !== undefined && !law.modelNames.test(model))
    return say(law, 404, `model ${model} was not found`)
  return undefined
}

function toCall({ method, path: url, query, headers, json, form }: NativeCall, path: string): Call {
  const { route, named, id } = matchRoute(path, false, method)
  const inBody = json?.['model']
  const model = named ?? (typeof inBody === 'string' ? inBody : 'm')
  return {
    route: { ...route, auth: 'bearer_if_any' },
    method,
    url,
    path,
    query,
    // Whose key it is has been judged.
    headers: { ...headers, authorization: undefined },
    model,
    ...(id !== undefined && { id }),
    ...(json !== undefined && { json }),
    ...(form !== undefined && { form }),
  }
}

/** The answer with the provider's habits: what it thought, comments in streams, completions as messages. */
function dressed(law: CompatibleLaw, { json = {}, route }: Call, reply: Reply): Reply {
  const thinks =
    law.thoughts !== undefined && route.operation === 'chat' && json['reasoning_effort'] !== undefined
  const thoughts = thinks && law.thoughts !== undefined ? { [law.thoughts]: 'hm' } : {}
  if (reply.chunks.length > 1) return { ...reply, chunks: [...early(law, thoughts), ...reply.chunks] }
  const body: Json =
    route.operation === 'chat' || route.operation === 'completion'
      ? JSON.parse(String(reply.chunks[0]))
      : null
  if (!isJsonObject(body)) return reply
  const isMessage = route.operation === 'completion' && law.tails?.completion !== undefined
  const [first] = Array.isArray(body['choices']) ? body['choices'] : []
  const choice = isJsonObject(first) ? first : {}
  const said = isMessage ? { role: 'assistant', content: 'pong' } : choice['message']
  const message = { ...(isJsonObject(said) ? said : {}), ...thoughts }
  const told = route.operation === 'chat' || isMessage ? { ...choice, message } : first
  return { ...reply, chunks: [JSON.stringify({ ...body, choices: [told ?? null] })] }
}

function early({ comment }: CompatibleLaw, thoughts: JsonObject): readonly string[] {
  const event = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1700000000, model: 'm' }
  const thought = { ...event, choices: [{ index: 0, delta: thoughts, finish_reason: null }] }
  return [
    ...(comment === undefined ? [] : [`: ${comment}\n\n`]),
    ...(Object.keys(thoughts).length === 0 ? [] : [`data: ${JSON.stringify(thought)}\n\n`]),
  ]
}

function array(list: readonly Json[]): Reply {
  return { status: 200, headers: { 'content-type': 'application/json' }, chunks: [JSON.stringify(list)] }
}

function say({ errors }: CompatibleLaw, status: number, message: string): Reply {
  switch (errors) {
    case 'bare':
      return jsonReply(status, {
        object: 'error',
        message,
        type: 'invalid_request_error',
        param: null,
        code: null,
      })
    case 'detail':
      return jsonReply(status, { detail: message })
    case 'text':
      return jsonReply(status, { code: 'Client specified an invalid argument', error: message })
    case undefined:
  }
  return openaiError(status, { message })
}
