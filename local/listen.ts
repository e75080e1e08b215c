import type { AddressInfo, Server } from 'node:net'

/** Listens on loopback at a port, 0 for a free one, and answers which it is; says so where it is taken. */
export function listenAt(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => reject(new Error(`Cannot listen at port ${port}: ${cause.message}`, { cause }))
    server.once('error', fail).listen(port, '127.0.0.1', () => {
      server.off('error', fail)
      resolve((server.address() as AddressInfo).port)
    })
  })
}
