import type { GoodAnswer } from '../adapter.contract.ts'

/** https://docs.mistral.ai/capabilities/code_generation: completions come as messages. */
export const FILL_IN_THE_MIDDLE: GoodAnswer = {
  source: 'Mistral FIMCompletionResponse',
  body: {
    id: '1',
    object: 'chat.completion',
    model: 'codestral',
    choices: [{ index: 0, message: { role: 'assistant', content: 'pong' }, finish_reason: 'stop' }],
  },
  value: {
    text: 'pong',
    model: 'codestral',
    whole: {
      id: '1',
      object: 'text_completion',
      model: 'codestral',
      choices: [{ index: 0, text: 'pong', finish_reason: 'stop', logprobs: null }],
    },
  },
}
