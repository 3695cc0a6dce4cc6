import type { Operation } from './routes.ts'

/** What a form must and may hold; a field that is not listed is refused. `x[]` is meant with `x`. */
export interface FormTable {
  readonly required: readonly string[]
  readonly fields: readonly string[]
}

/** The forms by operation (OpenAI's API description). */
export const FORMS: { readonly [O in Operation]?: FormTable } = {
  transcription: {
    required: ['file', 'model'],
    fields: [
      'file',
      'model',
      'language',
      'languages',
      'keywords',
      'prompt',
      'response_format',
      'temperature',
      'include',
      'timestamp_granularities',
      'stream',
      'chunking_strategy',
      'known_speaker_names',
      'known_speaker_references',
    ],
  },
  translation: {
    required: ['file', 'model'],
    fields: ['file', 'model', 'prompt', 'response_format', 'temperature'],
  },
  new_call: { required: ['sdp'], fields: ['sdp', 'session'] },
  upload_part: { required: ['data'], fields: ['data'] },
  upload: {
    required: ['file', 'purpose'],
    fields: ['file', 'purpose', 'expires_after[anchor]', 'expires_after[seconds]'],
  },
  image_edit: {
    required: ['image', 'prompt'],
    fields: [
      'image',
      'prompt',
      'mask',
      'background',
      'model',
      'n',
      'size',
      'response_format',
      'output_format',
      'output_compression',
      'user',
      'input_fidelity',
      'stream',
      'partial_images',
      'quality',
    ],
  },
}

/** What a file may be uploaded for (OpenAI's API description). */
export const PURPOSES: readonly string[] = [
  'assistants',
  'batch',
  'fine-tune',
  'vision',
  'user_data',
  'evals',
]

/** What a transcription accepts by its file's name (OpenAI's API description). */
export const SOUND_EXTENSIONS: readonly string[] = [
  'flac',
  'm4a',
  'mp3',
  'mp4',
  'mpeg',
  'mpga',
  'oga',
  'ogg',
  'wav',
  'webm',
]
