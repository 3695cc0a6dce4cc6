import type { Deployment } from '../core/deployment.ts'

/** A chat deployment of group `g` for tests, with what they say of it. */
export function aDeployment(index: number, more: Partial<Deployment> = {}): Deployment {
  return {
    index,
    id: `id-${index}`,
    group: 'g',
    model: 'openai/m',
    provider: 'openai',
    upstreamModel: 'm',
    mode: 'chat',
    modeSource: 'default',
    connection: { headers: {} },
    bodyDefaults: {},
    timeouts: {},
    probe: { params: {}, backgroundDisabled: false },
    shown: {},
    clientConnectionFields: [],
    shownParams: {},
    info: {},
    ...more,
  }
}
