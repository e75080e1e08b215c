import { takeTools } from './tools.ts'

/** The tools are there before the first test; where they cannot be had the ring fails, and says which are missing. */
export default function setup(): void {
  takeTools()
}
