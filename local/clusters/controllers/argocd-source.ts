import { parseAllDocuments } from 'yaml'
import { isDict } from '../../../shared/dict.ts'
import type { NewObject } from '../object.ts'
import type { GitReader } from './git-reader.ts'

export interface Source {
  repoURL: string
  path?: string
  targetRevision?: string
  directory?: { recurse?: boolean }
  helm?: unknown
}

/** Why there are no manifests to compare with; its text becomes the Application's ComparisonError. */
export class SourceError extends Error {}

/** The manifests of the YAML files below a path, each file parsed once: most of a tree is as it was in the tree before. */
export class Manifests {
  readonly #parsed = new Map<string, NewObject[]>()
  readonly #files = new Map<string, NewObject[]>()

  async read(git: GitReader, commit: string, { path = '.', directory, helm }: Source): Promise<NewObject[]> {
    if (helm !== undefined) throw new SourceError('Failed to load target state: Helm sources are not simulated')
    const folder = path === '.' ? '' : path.replace(/^\.?\/|\/$/g, '')
    const tree = await git.tree(commit, folder)
    if (!tree)
      throw new SourceError(
        `Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = ${path}: app path does not exist`,
      )
    const recurse = directory?.recurse ?? false
    const key = `${tree}/${recurse}`
    const manifests = this.#parsed.get(key) ?? (await this.#parse(git, tree, recurse))
    if (this.#parsed.size > 5000) this.#parsed.clear()
    this.#parsed.set(key, manifests)
    return manifests
  }

  async #parse(git: GitReader, tree: string, recurse: boolean): Promise<NewObject[]> {
    const files = (await git.files(tree, recurse)).filter(({ path }) => /\.(ya?ml|json)$/.test(path))
    const found = await Promise.all(files.map(({ path, oid }) => this.#documents(git, path, oid)))
    return found.flat()
  }

  async #documents(git: GitReader, path: string, oid: string): Promise<NewObject[]> {
    const key = `${oid}/${path}`
    const found = this.#files.get(key) ?? documents(path, await git.text(oid))
    if (this.#files.size > 20_000) this.#files.clear()
    this.#files.set(key, found)
    return found
  }
}

/** Argo CD passes over a file it cannot parse, unless it looks as if it were meant for Kubernetes. */
function documents(path: string, text: string): NewObject[] {
  const meant = ['apiVersion', 'kind', 'metadata'].every((word) => new RegExp(`^${word}:`, 'm').test(text))
  const parsed = parseAllDocuments(text)
  const broken = parsed.find(({ errors }) => errors.length > 0)
  if (broken && !meant) return []
  if (broken)
    throw new SourceError(
      `Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = FailedPrecondition desc = Failed to unmarshal "${path}": ${broken.errors[0]?.message}`,
    )
  return parsed.map((document): unknown => document.toJS()).flatMap(objectsIn)
}

function objectsIn(document: unknown): NewObject[] {
  if (!isDict(document) || typeof document['kind'] !== 'string' || typeof document['apiVersion'] !== 'string') return []
  if (document['kind'] === 'List' && Array.isArray(document['items'])) return document['items'].flatMap(objectsIn)
  if (!isDict(document['metadata'])) return []
  const { status: _, metadata, ...rest } = document as NewObject
  const { creationTimestamp: __, ...kept } = metadata // serializers write both although they mean nothing in Git
  return [{ ...rest, metadata: kept }]
}
