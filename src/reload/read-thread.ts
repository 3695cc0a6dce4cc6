/**
 * The thread that reads a config: parsing ten thousand deployments takes half a second, in which no request may wait.
 * Its only message in says which deployments are known; what it finds goes back in pieces that are small enough to be
 * taken in between two requests.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { readConfigFiles } from '../read-config.ts'
import { packed } from './carry.ts'
import type { KnownDeployments, ReadMessage, ReadOrder, SentDeployment } from './messages.ts'
import { printed } from './prints.ts'

const PIECE = 100

async function read(order: ReadOrder, known: KnownDeployments): Promise<void> {
  const { config, problems, files } = await readConfigFiles(order.path, order.env)
  if (config === undefined) {
    send({ kind: 'read', problems, files })
  } else {
    const { deployments, secrets, ...head } = config
    parentPort?.postMessage({ kind: 'read', problems, files, head: packed(head) })
    const values = secrets.map((secret) => secret.reveal())
    for (const piece of pieces(values)) send({ kind: 'secrets', values: piece })
    const places = placesOf(known)
    const sent = deployments.map((deployment): SentDeployment => {
      const prints = printed(deployment)
      const place = places.get(prints.whole)?.shift()
      return place === undefined ? { printed: prints, deployment } : { printed: prints, known: place }
    })
    for (const piece of pieces(sent)) parentPort?.postMessage({ kind: 'deployments', sent: packed(piece) })
  }
  send({ kind: 'done' })
}

function placesOf({ wholes }: KnownDeployments): ReadonlyMap<string, number[]> {
  const places = new Map<string, number[]>()
  wholes.forEach((whole, index) => {
    const same = places.get(whole)
    if (same === undefined) places.set(whole, [index])
    else same.push(index)
  })
  return places
}

function pieces<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / PIECE) }, (_, at) =>
    items.slice(at * PIECE, (at + 1) * PIECE),
  )
}

function send(message: ReadMessage): void {
  parentPort?.postMessage(message)
}

const order: ReadOrder = workerData
// Whoever asked ends the thread when all has arrived: one that ended by itself might end before that.
parentPort?.on('message', (known: KnownDeployments) => void read(order, known))
