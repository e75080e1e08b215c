import type { KubeObject, NewObject } from '../object.ts'

/** Says what is on a disk, in a few words: no byte of it is simulated, but where it came from and who changed it. */
export const contentAnnotation = 'local.drover.dev/content'

/** What is on a claim or in a snapshot of one; a disk that nobody filled is blank. */
export function contentOf({ metadata }: KubeObject | NewObject): string {
  return metadata.annotations?.[contentAnnotation] ?? 'blank'
}

/** The same object with another content. */
export function withContent<T extends KubeObject>(object: T, content: string): T {
  const annotations = { ...object.metadata.annotations, [contentAnnotation]: content }
  return { ...object, metadata: { ...object.metadata, annotations } }
}
