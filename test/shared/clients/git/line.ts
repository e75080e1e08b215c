import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { listenAt } from '../../../../local/listen.ts'

/** The line between client and server: it lets everything through as it is, until it is told to fail. */
export interface Line {
  port: number
  /** Takes connections, and lets nothing through any more. */
  hang(): void
  /** Lets new connections through again; what hangs is ended. */
  mend(): void
  /** Ends what is connected. */
  cut(): void
  /** Ends the next connection on which so many bytes go to the server, in the middle of them. */
  cutAfter(bytes: number): void
  /** The same for bytes that come from the server. */
  cutAnswerAfter(bytes: number): void
  /** How often a connection was ended in the middle. */
  readonly cuts: number
}

/** Opens a line to a port of this machine, closed with the test. */
export async function openLine(target: number): Promise<Line> {
  const open = new Set<Socket>()
  let hanging = false
  const limits = { sent: Number.POSITIVE_INFINITY, answered: Number.POSITIVE_INFINITY }
  let cuts = 0
  const cut = () => {
    for (const socket of open) socket.destroy()
  }
  const server = createServer((client) => {
    keep(client)
    if (hanging) return
    const far = connect(target, '127.0.0.1')
    keep(far)
    client.on('close', () => far.destroy())
    far.on('close', () => client.destroy())
    far.on('end', () => hanging || client.end())
    pass(client, far, 'sent')
    pass(far, client, 'answered')
  })
  function pass(from: Socket, to: Socket, way: keyof typeof limits): void {
    let passed = 0
    from.on('data', (chunk) => {
      if (hanging) return
      passed += chunk.length
      if (passed <= limits[way]) return void to.write(chunk)
      limits[way] = Number.POSITIVE_INFINITY
      cuts++
      from.destroy()
    })
  }
  function keep(socket: Socket): void {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => open.delete(socket))
  }
  const port = await listenAt(server, 0)
  onTestFinished(async () => {
    cut()
    await new Promise((resolve) => server.close(resolve))
  })
  return {
    port,
    cut,
    hang: () => {
      hanging = true
    },
    mend: () => {
      hanging = false
      cut()
    },
    cutAfter: (bytes) => {
      limits.sent = bytes
    },
    cutAnswerAfter: (bytes) => {
      limits.answered = bytes
    },
    get cuts() {
      return cuts
    },
  }
}
