import { closedLoop, openLoop } from './loops.ts'
import { isOrders, type Order, type Seen } from './order.ts'
import { aborts, sessions, streams } from './streams.ts'

/** The load generator. Run as a process: orders in, which are carried out at the same time; what was seen out. */
function carryOut(order: Order): Promise<Seen> {
  const { task } = order
  switch (task.how) {
    case 'closed':
      return closedLoop(order, task)
    case 'open':
      return openLoop(order, task)
    case 'streams':
      return streams(order, task)
    case 'aborts':
      return aborts(order, task)
    case 'sessions':
      return sessions(order, task)
  }
}

process.on('message', (message) => {
  if (isOrders(message)) void Promise.all(message.map(carryOut)).then((seen) => process.send?.(seen))
})
process.on('disconnect', () => process.exit(0))
