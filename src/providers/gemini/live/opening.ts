import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import { unknownEvent } from './client-events.ts'
import { settled, UNSETTLED, type Settings } from './settings.ts'
import type { Flaw, Tray } from './tray.ts'

/** The time until the upstream is set up: what the client says then waits. */
export interface Opening {
  phase(): 'fresh' | 'waiting' | 'ready'
  /** An event of the client's, of so many characters; the first one sets the session up. */
  take(event: JsonObject, chars: number): void
  /** The upstream is set up: what has waited. */
  ready(): readonly JsonObject[]
}

/** Events that wait for the upstream's setup, characters: the client is not read meanwhile, so that they are few. */
const MAX_WAITING_CHARS = 32 * 1024 * 1024

/** Makes it. `mayDrop`: what Live lacks is left out; `setUp` sends the setup. */
export function createOpening(tray: Tray, mayDrop: boolean, setUp: (settings: Settings) => void): Opening {
  let phase: ReturnType<Opening['phase']> = 'fresh'
  let waiting: JsonObject[] = []
  let waitingChars = 0
  const wait = (event: JsonObject, chars: number): void => {
    if (waitingChars + chars > MAX_WAITING_CHARS) {
      tray.refuse(TOO_MUCH, event['event_id'])
      return
    }
    waitingChars += chars
    waiting.push(event)
  }
  return {
    phase: () => phase,
    take: (event, chars) => {
      if (phase === 'fresh') {
        const settings = unknownEvent(event) ?? firstSettings(event, mayDrop)
        if ('param' in settings) {
          tray.refuse(settings, event['event_id'])
          return
        }
        phase = 'waiting'
        setUp(settings)
      }
      // Of an update nothing is left to do but to tell the client of it.
      wait(event, chars)
    },
    ready: () => {
      phase = 'ready'
      const events = waiting
      waiting = []
      return events
    },
  }
}

const TOO_MUCH: Flaw = {
  message: 'Too much was said before the session was set up.',
  param: null,
  code: 'too_large',
}

/** What a `session.update` asks for; any other event finds a session of which nothing was said. */
function firstSettings({ type, session }: JsonObject, mayDrop: boolean): Settings | Flaw {
  if (type !== 'session.update') return UNSETTLED
  return isJsonObject(session)
    ? settled(session, mayDrop)
    : { message: "'session' must be an object.", param: 'session' }
}
