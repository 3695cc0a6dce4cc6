import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { countText } from './tokenizer.ts'

const never = (): Promise<void> => assert.fail('nobody waits for so little')

test('a short text is as many tokens as its encoding says', async () => {
  for (const text of ['', 'ping', 'The gateway asked the model.', 'Größe: 12 µm', '健康检查', '{"a":[1,2]}'])
    assert.equal(await countText(text, never), countTokens(text))
  assert.ok((await countText('<|endoftext|>', never)) > 1, 'what looks like a control token is a text')
})

test('a text is cut where tokens end, so that its pieces are as many as the whole', async () => {
  const text = 'Whoever asks for a model, and is told nothing, asks again. '.repeat(60)
  assert.equal(await countText(text, never), countTokens(text))
})

test('characters stay whole, and runs without a space cost no more than others', async () => {
  for (const text of ['👩‍🚀'.repeat(700), '健康检查很重要'.repeat(500), 'a'.repeat(4_000), ' '.repeat(4_000)]) {
    const [whole, pieces] = [countTokens(text), await countText(text, never)]
    assert.ok(pieces >= whole * 0.95 && pieces <= whole * 1.1 + 20, `${pieces}, not ${whole}`)
  }
})

test('others have their turn while a long text is looked at, of which no more is looked at than of others', async () => {
  const turnsOf = async (chars: number): Promise<number> => {
    let turns = 0
    await countText('a word or two, '.repeat(Math.ceil(chars / 15)), () => {
      turns += 1
      return Promise.resolve()
    })
    return turns
  }
  const turns = await turnsOf(60_000)
  assert.ok(turns >= 6, String(turns))
  assert.ok((await turnsOf(4_000_000)) <= turns + 2)
})

test('who is gone is not counted for any more', async () => {
  const gone = (): Promise<void> => Promise.reject(new Error('gone'))
  await assert.rejects(countText('a word or two, '.repeat(4_000), gone), /gone/)
})
