import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { GENERATE_NAMES } from './generate-config.ts'
import { objectIn } from './generate-words.ts'
import type { Dictionary } from './own-words.ts'
import { memberOf } from './read-json.ts'

/** Anthropic's words for what a chat says (https://docs.anthropic.com/en/api/messages). */
export function messagesDictionary(asked: JsonObject): Dictionary {
  const { cache_control: mark, thinking, output_config: config } = asked
  const budget = memberOf(thinking, 'budget_tokens') === undefined ? 'thinking' : 'thinking.budget_tokens'
  const format = memberOf(config, 'format') === undefined ? 'output_format' : 'output_config.format'
  const marks = marksIn(asked)
  const marked = mark === undefined ? 'messages[].content[].cache_control' : 'cache_control'
  return {
    names: {
      max_completion_tokens: 'max_tokens',
      stop: 'stop_sequences',
      parallel_tool_calls: 'tool_choice.disable_parallel_tool_use',
      reasoning_effort: memberOf(config, 'effort') === undefined ? budget : 'output_config.effort',
      response_format: format,
      'response_format.json_schema': format,
      stream_options: 'stream',
      user: 'metadata.user_id',
      'messages[].content[].cache_control': marks.join(', '),
      'messages[].content[].cache_control.ttl': marks.map((each) => `${each}.ttl`).join(', '),
      'messages[].cache_control': marked,
      'messages[].cache_control.ttl': `${marked}.ttl`,
    },
    lists: { 'messages[].tool_calls[]': 'messages[].content[]' },
    inside: [
      ['.function.arguments', '.input'],
      ['.function.parameters', '.input_schema'],
      ['.function', ''],
      ['.image_url.url', '.source'],
      ['.image_url', '.source'],
      ['.file.file_data', '.source'],
      ['.file.filename', '.title'],
      ['.file', '.source'],
      ['.tool_call_id', '.tool_use_id'],
      ['.tool_calls', '.content'],
    ],
  }
}

/** A chat's system message is one among others. */
function marksIn({ system, messages }: JsonObject): readonly string[] {
  const isMarked = (blocks: Json | undefined): boolean =>
    Array.isArray(blocks) && blocks.some((block: Json) => isJsonObject(memberOf(block, 'cache_control')))
  const ofMessages = 'messages[].content[].cache_control'
  if (!isMarked(system)) return [ofMessages]
  const isSaid =
    Array.isArray(messages) && messages.some((message: Json) => isMarked(memberOf(message, 'content')))
  return ['system[].cache_control', ...(isSaid ? [ofMessages] : [])]
}

/** Those of OpenAI's responses (https://platform.openai.com/docs/api-reference/responses/create). */
export function responsesDictionary(): Dictionary {
  return {
    names: {
      logprobs: 'include',
      max_completion_tokens: 'max_output_tokens',
      max_tokens: 'max_output_tokens',
      messages: 'input',
      reasoning_effort: 'reasoning.effort',
      response_format: 'text.format',
      'response_format.json_schema': 'text.format',
      stream_options: 'stream',
      verbosity: 'text.verbosity',
    },
    lists: {
      'messages[]': 'input[]',
      'messages[].content[]': 'input[].content[]',
      'messages[].tool_calls[]': 'input[]',
    },
    inside: [
      ['.function', ''],
      ['.image_url.url', '.image_url'],
      ['.image_url.detail', '.detail'],
      ['.file.file_data', '.file_data'],
      ['.file', '.file_data'],
      ['.tool_call_id', '.call_id'],
    ],
  }
}

/** Those of Gemini (https://ai.google.dev/api/generate-content). */
export function generateDictionary(asked: JsonObject): Dictionary {
  const config = objectIn(asked['generationConfig'] ?? asked['generation_config'])
  return {
    names: {
      ...GENERATE_NAMES,
      'response_format.json_schema.schema':
        config['responseJsonSchema'] === undefined
          ? 'generationConfig.responseSchema'
          : 'generationConfig.responseJsonSchema',
      messages: 'contents',
      'messages[].tool_calls[].function.name': 'contents[].parts[].functionCall.name',
      'tools[].function.strict': 'toolConfig.functionCallingConfig.mode',
      'messages[].content[].image_url.detail':
        config['mediaResolution'] === undefined
          ? 'contents[].parts[].mediaResolution'
          : 'generationConfig.mediaResolution',
    },
    lists: {
      'messages[]': 'contents[]',
      'messages[].content[]': 'contents[].parts[]',
      'messages[].tool_calls[]': 'contents[].parts[]',
      'tools[]': 'tools[].functionDeclarations[]',
    },
    inside: [
      ['.function.arguments', '.functionCall.args'],
      ['.function', ''],
      ['.content', '.parts'],
      ['.tool_calls', '.parts'],
      ['.image_url.url', ''],
      ['.image_url', ''],
      ['.file', ''],
      ['.input_audio', ''],
      ['.tool_call_id', '.functionResponse'],
    ],
  }
}
