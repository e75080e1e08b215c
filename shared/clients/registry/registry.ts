import { DroverError } from '../../errors.ts'
import { type Descriptor, type Document, digestOf, mediaTypes } from '../../images/oci-image.ts'
import type { Answer } from './exchange.ts'
import { unwanted } from './failure.ts'
import type { Session } from './session.ts'

/** A repository of a registry, by the calls of the OCI distribution specification that a push takes. */
export interface Registry {
  hasTag(tag: string): Promise<boolean>
  hasBlob(blob: Pick<Descriptor, 'digest' | 'size'>): Promise<boolean>
  /** Sends a blob whose digest is known when it is sent. */
  sendBlob(what: string, bytes: string | AsyncIterable<Uint8Array>, digest: () => string): Promise<void>
  putManifest(tag: string, manifest: Document): Promise<void>
  /** Throws unless the tag now names the manifest. */
  checkManifest(tag: string, manifest: Document): Promise<void>
}

const accept = { accept: mediaTypes.manifest }

export function openRegistry(session: Session): Registry {
  /** Sends, and answers only what has the status that is wanted. */
  async function ask(what: string, wanted: number[], ...[method, url, asked]: Parameters<Session['send']>) {
    const answer = await session.send(method, url, asked)
    if (!wanted.includes(answer.status)) throw unwanted(session.where, what, answer)
    return answer
  }
  const manifestAt = (tag: string) => session.address(`manifests/${tag}`)

  return {
    async hasTag(tag) {
      const answer = await ask('the question for the tag', [200, 404], 'HEAD', manifestAt(tag), { headers: accept })
      return answer.status === 200
    },
    async hasBlob({ digest, size }) {
      // A registry whose blobs lie elsewhere redirects to those that it has.
      const answer = await ask('the question for a blob', [200, 307, 404], 'HEAD', session.address(`blobs/${digest}`))
      return answer.status === 307 || (answer.status === 200 && answer.headers['content-length'] === `${size}`)
    },
    async sendBlob(what, bytes, digest) {
      const begun = await ask(`the beginning of ${what}`, [202], 'POST', session.address('blobs/uploads/'))
      // In one stream, as docker and podman do: some registries take no pieces, or none of our size.
      const headers = { 'content-type': 'application/octet-stream' }
      const sent = await ask(what, [202, 204], 'PATCH', next(session, begun), { headers, body: bytes })
      const end = next(session, sent)
      end.searchParams.set('digest', digest())
      await ask(`the end of ${what}`, [201, 204], 'PUT', end)
    },
    async putManifest(tag, { text, descriptor }) {
      const asked = { headers: { 'content-type': descriptor.mediaType }, body: text }
      await ask('the manifest', [201], 'PUT', manifestAt(tag), asked)
    },
    async checkManifest(tag, { descriptor }) {
      const answer = await ask('the question for the manifest', [200], 'GET', manifestAt(tag), { headers: accept })
      const digest = digestOf(answer.text)
      if (digest !== descriptor.digest)
        throw new DroverError(
          'busy',
          `Cannot push to ${session.where}: tag "${tag}" is ${digest}, wanted ${descriptor.digest}`,
        )
    },
  }
}

const next = (session: Session, { url, headers }: Answer) => session.address(headers.location ?? '', url)
