/** LiteLLM's names of the ways to choose a deployment of a group. */
export const ROUTING_STRATEGIES = [
  'simple-shuffle',
  'least-busy',
  'latency-based-routing',
  'usage-based-routing',
  'usage-based-routing-v2',
  'cost-based-routing',
] as const

/** How a deployment of a group is chosen. */
export type RoutingStrategy = (typeof ROUTING_STRATEGIES)[number]

/** True for a name that is a strategy's. */
export function isRoutingStrategy(name: string): name is RoutingStrategy {
  return ROUTING_STRATEGIES.some((each) => each === name)
}
