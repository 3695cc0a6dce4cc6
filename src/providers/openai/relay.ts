import { isSideRoute, SIDE_ROUTES } from '../../core/mode.ts'
import type { RouteName } from '../../core/mode.ts'
import type { RelayFace } from '../adapter.ts'
import { defaultsOf } from '../body-defaults.ts'
import { jsonTexts, modelName, renamed, type Surface } from './surface.ts'

/** Passes a client's body, JSON or a form, on with the model set and the defaults filled in: the twin of `postBody`. */
export function relayBody(surface: Surface, route: RouteName): RelayFace {
  const mode = isSideRoute(route) ? SIDE_ROUTES[route] : route
  return {
    url: (target) => surface.url(target, route),
    edits: (target) => ({
      set: { model: JSON.stringify(modelName(surface, target, route)) },
      defaults: jsonTexts({
        ...surface.required?.[mode],
        ...renamed(defaultsOf(route, target.bodyDefaults), surface.renames),
      }),
    }),
    ...(surface.renames === undefined ? {} : { renames: surface.renames }),
  }
}
