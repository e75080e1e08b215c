import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { listenAt } from '../../local/listen.ts'

/**
 * What Knative has in front of an instance: a caller who comes while none is there is held until the next one is ready. So no run
 * fails because a busy machine takes longer to start a process than the Broker tries.
 */
export async function openDoor(port: number, inner: () => Promise<number>): Promise<{ close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket))
  }
  const server = createServer(async (caller) => {
    keep(caller)
    const instancePort = await inner()
    while (!caller.destroyed && !(await isReady(instancePort))) await sleep(20)
    const instance = connect(instancePort, '127.0.0.1')
    keep(instance)
    // An end without an answer is passed on as it is: the caller has to try again.
    caller.once('close', () => instance.destroy())
    instance.once('close', () => caller.destroy())
    caller.pipe(instance).pipe(caller)
  })
  await listenAt(server, port)
  return { close: () => closeAll(server, sockets) }
}

const isReady = (port: number) =>
  fetch(`http://127.0.0.1:${port}/health/readiness`).then(
    async (answer) => {
      await answer.body?.cancel()
      return answer.ok
    },
    () => false,
  )

function closeAll(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((done) => {
    server.close(() => done())
    for (const socket of sockets) socket.destroy()
  })
}
