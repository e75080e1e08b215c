import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { messageOf } from '../../shared/errors.ts'

/**
 * The Kubernetes objects of all YAML files of the folders, without those of subfolders; where a folder has a
 * kustomization.yaml, of the files and folders that it names. What else is in that (patches, labels) is not heeded: it
 * changes no Broker and no Trigger of ours. Throws when a file is no YAML.
 */
export async function readManifests(...folders: string[]): Promise<unknown[]> {
  const objects = await Promise.all(folders.map(readFolder))
  return objects.flat()
}

async function readFolder(folder: string): Promise<unknown[]> {
  const entries = await readdir(folder).catch((cause: unknown) => {
    throw new Error(`Cannot read the folder ${folder}: ${messageOf(cause)}`, { cause })
  })
  if (entries.includes('kustomization.yaml')) return readKustomization(folder)
  const names = entries.filter((name) => /\.ya?ml$/.test(name)).sort()
  const objects = await Promise.all(names.map((name) => readDocuments(join(folder, name))))
  return objects.flat()
}

async function readKustomization(folder: string): Promise<unknown[]> {
  const [kustomization] = await readDocuments(join(folder, 'kustomization.yaml'))
  const { resources = [] } = kustomization as { resources?: string[] }
  const read = (path: string) => (/\.ya?ml$/.test(path) ? readDocuments(path) : readFolder(path))
  const objects = await Promise.all(resources.map((name) => read(join(folder, name))))
  return objects.flat()
}

async function readDocuments(path: string): Promise<unknown[]> {
  const documents = [...parseAllDocuments(await readFile(path, 'utf8'))]
  const error = documents.flatMap((document) => document.errors)[0]
  if (error) throw new Error(`Cannot read ${path}: ${error.message.split('\n')[0]}`)
  return documents.map((document) => document.toJS() as unknown).filter((object) => object !== null)
}
