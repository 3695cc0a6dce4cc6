import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CACHE_MARKS, unmarked, unmarkedTool, untold } from './untold.ts'

const MARK = { type: 'ephemeral', ttl: '1h' } as const
const MARKED = {
  type: 'text',
  text: 'ping',
  cache_control: MARK,
  prompt_cache_breakpoint: { mode: 'explicit' },
} as const
const TEXT = { type: 'text', text: 'ping' } as const

test('what is not told is named once, and a member of what is not told is not', () => {
  const messages = [
    { role: 'user', name: 'ann', content: [MARKED, MARKED] },
    { role: 'tool', name: 'weather', content: 'rain' },
  ]
  const tools = [{ type: 'function', cache_control: MARK, function: { name: 'f', strict: true } }]
  const marks = 'messages[].content[].cache_control'
  assert.deepEqual(untold({ messages, tools }, new Set()), ['messages[].name', marks])
  assert.deepEqual(untold({ messages, tools }, new Set(['tools'])), [
    'messages[].name',
    marks,
    'tools[].cache_control',
    'tools[].function.strict',
  ])
  assert.deepEqual(untold({ messages, tools }, new Set(['tools', ...CACHE_MARKS, 'messages[].name'])), [
    `${marks}.ttl`,
    'tools[].cache_control.ttl',
    'tools[].function.strict',
  ])
})

test('a message without marks is the very same one', () => {
  const plain = { role: 'user', content: [TEXT] }
  assert.equal(unmarked(plain), plain)
  assert.deepEqual(unmarked({ ...plain, cache_control: MARK, content: [MARKED, TEXT] }), {
    role: 'user',
    content: [TEXT, TEXT],
  })
  assert.deepEqual(unmarked({ role: 'assistant', tool_calls: [{ id: 'c', cache_control: MARK }] }), {
    role: 'assistant',
    tool_calls: [{ id: 'c' }],
  })
  assert.deepEqual(unmarkedTool(MARKED), TEXT)
})

test('a tool is marked in its function as well, and a parameter of that name is no mark', () => {
  const named = { name: 'f', parameters: { properties: { cache_control: { type: 'string' } } } }
  const plain = { type: 'function', function: named }
  const marked = { ...plain, function: { ...named, cache_control: { ...MARK } } }
  assert.deepEqual(untold({ messages: [], tools: [marked] }, new Set(['tools'])), [
    'tools[].function.cache_control',
  ])
  assert.deepEqual(unmarkedTool(marked), plain)
  assert.equal(unmarkedTool(plain), plain)
})
