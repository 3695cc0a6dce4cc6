import type { ObjectsFace } from '../adapter.ts'
import { rootOf } from './surface.ts'

/** Files and batches (https://platform.openai.com/docs/api-reference/files and …/batch). */
export const openAiObjects: ObjectsFace = { url: (target, path) => rootOf(target) + path }
