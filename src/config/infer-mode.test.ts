import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { modeOfName } from './infer-mode.ts'

describe('a model name gives its mode away', () => {
  const table: Readonly<Record<string, readonly string[]>> = {
    embedding: [
      'text-embedding-3-small',
      'text-embedding-ada-002',
      'azure-embedding-model',
      'nomic-embed-text',
      'amazon.titan-embed-text-v2:0',
      'amazon.titan-embed-image-v1',
      'embed-english-v3.0',
      'sentence-transformers/all-MiniLM-L6-v2',
      'intfloat/multilingual-e5-large',
      'e5-mistral-7b-instruct',
      'BAAI/bge-m3',
      'voyage-3-large',
      'mxbai-embed-large',
      'nvidia/Nemotron-3-Embed-1B-BF16',
      'gemini-embedding-001',
    ],
    rerank: [
      'rerank-english-v3.0',
      'cohere.rerank-v3-5:0',
      'bge-reranker-v2-m3',
      'qwen3-reranker-4b',
      'zerank-2',
      'bge-rerank',
    ],
    audio_transcription: [
      'whisper-1',
      'azure whisper',
      'gpt-4o-transcribe',
      'gpt-4o-mini-transcribe',
      'STT',
      'openai/whisper-large-v3',
    ],
    audio_speech: [
      'tts-1',
      'tts-1-hd',
      'gpt-4o-mini-tts',
      'gemini-2.5-flash-preview-tts',
      'azure-tts',
      'TTS',
      'hexgrad/Kokoro-82M',
    ],
    image_generation: [
      'dall-e-3',
      'dall-e-3-test',
      'gpt-image-1',
      'gpt-image-1-mini',
      'gpt-image-1.5',
      'GPT Image 2',
      'chatgpt-image-latest',
      'imagen-4.0-generate-001',
      'imagegeneration@006',
      'black-forest-labs/FLUX.2-klein-9B',
      'flux-pro-1.1',
      'FLUX.1-schnell',
      'stabilityai/sdxl-turbo',
      'stable-diffusion-3.5-large',
      'stability.sd3-5-large-v1:0',
      'amazon.titan-image-generator-v2:0',
      'amazon.nova-canvas-v1:0',
      'gemini-2.5-flash-image',
      'gemini-3-pro-image-preview',
      'xai/grok-imagine-image-pro',
      'Nano Banana',
    ],
    realtime: ['gpt-4o-realtime-preview', 'openai/gpt-4o-realtime-audio', 'gpt-realtime-mini'],
    completion: [
      'gpt-3.5-turbo-instruct',
      'gpt-35-turbo-instruct',
      'text-davinci-003',
      'davinci-002',
      'babbage-002',
    ],
    video_generation: ['sora-2', 'veo-3.0-generate', 'xai/grok-imagine-video'],
    image_edit: ['us.stability.stable-image-inpaint-v1:0'],
    moderation: ['omni-moderation-latest', 'text-moderation-stable'],
  }
  for (const [mode, names] of Object.entries(table)) {
    for (const name of names) test(`${name} is ${mode}`, () => assert.equal(modeOfName(name), mode))
  }
})

describe('a chat model keeps its secret', () => {
  const names = [
    'gpt-4o',
    'gpt-4o-audio-preview',
    'gpt-4o-image-understanding',
    'image-describer',
    'claude-sonnet-4',
    'grok-2-vision-1212',
    'gemini-1.0-pro-vision-001',
    'Llama-3.1-8B-Instruct',
    'mistral-7b-instruct-v0.2',
    'kimi-k2-instruct',
    'diffusiongemma',
    'imagine-poems',
    'embedded-systems-coder',
    'transcript-summarizer',
    'summarize-fast',
    'minimax-m3',
    'nova-3',
    'fluxion-7b',
    'davincible',
    '*',
  ]
  for (const name of names) test(name, () => assert.equal(modeOfName(name), undefined))
})
