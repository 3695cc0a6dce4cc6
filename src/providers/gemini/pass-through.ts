import type { PassThroughFace } from '../adapter.ts'
import { belowBase } from '../route.ts'
import { escapedPath, modelResource } from './surface.ts'

const MODEL = /\/(?:models|tunedModels)\/([^:]+(?=:)|[^/]+)/

/** AI Studio's paths as they are; a group's name gives way to its model. */
export const geminiPassThrough: PassThroughFace = {
  modelIn: (path) => MODEL.exec(path)?.[1],
  url: ({ base }, { path, model }) =>
    belowBase(
      base,
      model === undefined ? path : path.replace(MODEL, () => `/${escapedPath(modelResource(model))}`),
    ),
}
