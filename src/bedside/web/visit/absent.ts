/** Why this browser has no camera API: an address without https, or the viewer inside another app. */
export function absent(): boolean {
  return !navigator.mediaDevices?.getUserMedia || !("RTCPeerConnection" in window);
}
