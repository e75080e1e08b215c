import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { DroverError } from '../../errors.ts'

/** Trusts the authorities in a folder's files (PEM), whatever they are called, beside those that Node knows. */
export async function trust(folder: string): Promise<void> {
  // Kubernetes keeps the versions of what it mounts in folders that begin with a dot.
  const names = (await readdir(folder).catch(() => [])).filter((name) => !name.startsWith('.'))
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  const found = texts.flatMap((text) => text.match(certificate) ?? [])
  if (found.length === 0)
    throw new DroverError('refused', 'Cannot trust the registry: the ConfigMap with its authorities holds none')
  setDefaultCACertificates([...getCACertificates('default'), ...found])
}

const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
